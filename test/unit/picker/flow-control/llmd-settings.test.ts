import { llmdFlowControl } from '../../../../src/picker/flow-control/llmd-settings';
import { EndpointTable } from '../../../../src/picker/scheduling/interface/endpoint-table';
import { parseEndpointPickerConfig } from '../../../../src/picker-config/endpoint-picker-config-parser';
import { formatProblem, type Problem } from '../../../../src/shared/problem';

function read(text: string) {
  const {
    config,
    problems: faults,
    locate,
  } = parseEndpointPickerConfig(`apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n${text}`, 'c.yaml');
  expect(faults).toEqual([]);
  const problems: Problem[] = [];
  const settings = llmdFlowControl(config!, locate, problems);
  return { settings, problems: problems.map(formatProblem) };
}

test('F10: nothing but the gate gives llm-d’s defaults, and a bound for bytes', () => {
  const { settings } = read('featureGates: [flowControl]');
  expect(settings).toMatchObject({
    queues: true,
    bands: [],
    maxRequests: Number.POSITIVE_INFINITY,
    maxBytes: 512 * 2 ** 20,
    waitingRoom: { maxRequests: Number.POSITIVE_INFINITY, queueMs: 60_000 },
  });
  expect(settings.bandFor(3)).toEqual({
    ...{ name: '3', priority: 3, maxRequests: 5_000, maxBytes: 1_000_000_000, queueMs: 60_000 },
    ...{ fairness: 'none', ordering: 'arrival', ceiling: 1, busyCeiling: 1, evicts: 'none' },
  });
});

test('the whole section is followed', () => {
  const { settings, problems } = read(`
featureGates: [flowControl]
plugins:
  - type: round-robin-fairness-policy
  - {name: soonest, type: edf-ordering-policy}
  - {name: wanted, type: slo-deadline-ordering-policy}
  - {name: limit, type: static-usage-limit-policy, parameters: {threshold: 0.75}}
  - {name: detector, type: concurrency-detector, parameters: {maxConcurrency: 4}}
flowControl:
  maxBytes: 1Gi
  maxRequests: 10k
  defaultRequestTTL: 30s
  noEndpointRequestTTL: 5m
  usageLimitPolicyPluginRef: limit
  saturationDetector: {pluginRef: detector}
  priorityBands:
    - {priority: 100, maxBytes: 1Mi, maxRequests: 7, fairnessPolicyRef: round-robin-fairness-policy, orderingPolicyRef: soonest}
  defaultPriorityBand: {maxRequests: 50, orderingPolicyRef: wanted}
  defaultNegativePriorityBand: {maxRequests: 5}
`);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ maxBytes: 2 ** 30, maxRequests: 10_000, waitingRoom: { queueMs: 300_000 } });
  expect(settings.bandFor(100)).toMatchObject({
    ...{ maxRequests: 7, maxBytes: 2 ** 20, queueMs: 30_000, fairness: 'roundRobin', ordering: 'deadline', ceiling: 0.75 },
  });
  expect(settings.bandFor(0)).toMatchObject({ maxRequests: 50, ordering: 'slo' });
  expect(settings.bandFor(-1)).toMatchObject({ maxRequests: 5, ordering: 'arrival' });
  const table = new EndpointTable(1);
  table.inFlight[0] = 3;
  expect(settings.saturation.level(table, 0, 0)).toBe(0.75);
});

test('a time of 0 waits for ever, as there', () => {
  const { settings } = read('featureGates: [flowControl]\nflowControl: {defaultRequestTTL: 0s}');
  expect([settings.bandFor(0).queueMs, settings.waitingRoom.queueMs]).toEqual([Infinity, Infinity]);
});

test('without the gate nobody waits', () => {
  expect(read('').settings.queues).toBe(false);
});

test('tokens are counted with what the producer of in-flight load adds', () => {
  const { settings } = read(`
plugins:
  - {type: concurrency-detector, parameters: {concurrencyMode: hybrid, maxTokenConcurrency: 100}}
  - {type: inflight-load-producer, parameters: {addEstimatedOutputTokens: true}}
flowControl: {saturationDetector: {pluginRef: concurrency-detector}}
`);
  const table = new EndpointTable(1);
  table.prefillTokens[0] = 30;
  table.outputTokensInFlight[0] = 20;
  expect(settings.saturation.level(table, 0, 0)).toBe(0.5);
});

test('parameters that a policy lacks are faults with their place', () => {
  const { problems } = read(`
plugins:
  - {type: fcfs-ordering-policy, parameters: {speed: 1}}
  - {type: static-usage-limit-policy, parameters: {threshold: none}}
flowControl: {usageLimitPolicyPluginRef: static-usage-limit-policy}
`);
  expect(problems).toEqual([
    expect.stringMatching(/AIG502 plugin type 'fcfs-ordering-policy' has no parameter 'speed'.*c\.yaml:5:/),
    expect.stringMatching(/AIG503 parameter 'threshold' of plugin type 'static-usage-limit-policy' has a wrong value/),
  ]);
});
