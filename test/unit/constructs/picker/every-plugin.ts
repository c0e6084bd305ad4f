import { EndpointChooser } from '../../../../src/constructs/values/endpoint-chooser';
import { Filter } from '../../../../src/constructs/values/filter';
import { Scorer } from '../../../../src/constructs/values/scorer';
import { Scoring } from '../../../../src/constructs/values/scoring';

/** A scoring with every scorer and filter that has a factory, and all of their parameters. */
export const EVERY_PLUGIN = Scoring.of(
  Scorer.queue({ weight: 0.5 }),
  Scorer.runningRequests(),
  Scorer.kvCacheUtilization(),
  Scorer.prefixCache({ weight: 3, matchLengthWeight: 0.5, matchLengthScaleTokens: 4_096 }),
  Scorer.loadAware({ threshold: 64 }),
  Scorer.loraAffinity(),
  Scorer.activeRequests({ idleThreshold: 2, maxBusyScore: 0.8 }),
  Scorer.tokenLoad({ queueThresholdTokens: 1_000 }),
  Scorer.contextLength({ label: 'example.com/context', enableFiltering: true }),
  Scorer.noHitLru({ lruSize: 12 }),
)
  .withFilter(Filter.decode())
  .withFilter(Filter.prefill())
  .withFilter(Filter.encode())
  .withFilter(Filter.podLabels({ gpu: 'h100' }))
  .withFilter(Filter.prefixCacheAffinity({ affinityThreshold: 0.5, explorationProbability: 0.1, maxTtftPenaltyMs: 100 }))
  .withFilter(Filter.utilization({ queueDepthThreshold: 9, kvCacheUtilizationThreshold: 0.7, headroomRatio: 0.2 }))
  .withPicker(EndpointChooser.maxScore({ maxEndpoints: 3 }));

/** The same with each of the other choosers. */
export const EVERY_CHOOSER = [
  EndpointChooser.random({ maxEndpoints: 2 }),
  EndpointChooser.weightedRandom({ maxEndpoints: 2 }),
].map((chooser) => EVERY_PLUGIN.withPicker(chooser));
