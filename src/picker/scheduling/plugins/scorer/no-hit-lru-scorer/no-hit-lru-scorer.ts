import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import type { ApproxPrefixCacheProducer } from '../../producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { ColdRequests } from './cold-requests';

/**
 * `no-hit-lru-scorer`: spreads requests that no endpoint has cached. Where any candidate has a hit, all score 0.5; otherwise the endpoint
 * whose last cold request is the longest ago scores 1, the next ones less in equal steps, the last 0: `1 − rank / (n − 1)`, endpoints without
 * any first.
 * Formula: llm-d-router v0.10, `scheduling/scorer/nohitlru`. Parameters: `lruSize` 1024 (endpoints that are remembered),
 * `prefixMatchInfoProducerName`.
 */
export class NoHitLruScorer implements Scorer {
  public static readonly TYPE = 'no-hit-lru-scorer';
  public readonly usesMetrics = false;
  private readonly colds: ColdRequests;

  public constructor(matches: ApproxPrefixCacheProducer, lruSize: number) {
    this.colds = new ColdRequests(matches, lruSize);
  }

  public static fromParameters(
    parameters: PluginParameters,
    context: { prefixProducer(name: string | undefined): ApproxPrefixCacheProducer },
  ): NoHitLruScorer {
    const lruSize = parameters.integer('lruSize', 1024, { min: 1, max: 1 << 20 });
    const matches = context.prefixProducer(parameters.text('prefixMatchInfoProducerName', undefined));
    parameters.done();
    return new NoHitLruScorer(matches, lruSize);
  }

  public get producer(): Producer {
    return this.colds;
  }

  public score(
    _request: SchedulingRequest,
    _snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { colds } = this;
    if (!colds.isCold) {
      for (let k = 0; k < count; k++) totals[k] = totals[k]! + weight * 0.5;
      return;
    }
    for (let k = 0; k < count; k++) {
      const rank = colds.rankOf(candidates, count, k);
      totals[k] = totals[k]! + weight * (count === 1 ? 1 : 1 - rank / (count - 1));
    }
  }
}
