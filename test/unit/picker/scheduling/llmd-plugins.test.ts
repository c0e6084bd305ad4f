import type { Filter, Scorer } from '../../../../src/picker/scheduling/interface/plugins';
import type { SchedulingRequest } from '../../../../src/picker/scheduling/interface/scheduling-request';
import { LearnedSpeed } from '../../../../src/picker/scheduling/learned-speed';
import { PluginFaults } from '../../../../src/picker/scheduling/plugin-faults';
import { PluginParameters } from '../../../../src/picker/scheduling/plugin-parameters';
import { type BuildContext, SCHEDULING_PLUGINS } from '../../../../src/picker/scheduling/plugin-registry';
import { ApproxPrefixCacheProducer } from '../../../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { InflightLoadProducer } from '../../../../src/picker/scheduling/plugins/producer/inflight-load-producer/inflight-load-producer';
import { ManualClock } from '../../../../src/shared/clock';
import { formatProblem, type Problem } from '../../../../src/shared/problem';
import { SeededRandom } from '../../../../src/shared/random';
import { type PoolMember, poolOf, requestFor } from './support/pool';

interface Case {
  readonly parameters?: Record<string, unknown>;
  readonly members: readonly (PoolMember & { readonly inFlight?: number; readonly tokens?: number })[];
  readonly request?: Partial<SchedulingRequest>;
  readonly promptTokens?: number;
}

function make(type: string, parameters: Record<string, unknown> = {}, clock = new ManualClock(1_000)) {
  const problems: Problem[] = [];
  const prefix = ApproxPrefixCacheProducer.standard();
  const context: BuildContext = {
    name: type,
    faults: new PluginFaults(),
    random: new SeededRandom(1),
    clock,
    speed: new LearnedSpeed(),
    prefixProducer: () => prefix,
    inflightProducer: () => new InflightLoadProducer(false, true, prefix),
  };
  const reader = new PluginParameters(type, parameters, 'p', (path) => path, problems);
  return { ...SCHEDULING_PLUGINS.get(type)!.build(reader, context), prefix, problems };
}

function surroundings({ members, request, promptTokens = 0 }: Case) {
  const { snapshot } = poolOf(...members);
  members.forEach(({ inFlight = 0, tokens = 0 }, slot) => {
    snapshot.table.inFlight[slot] = inFlight;
    snapshot.table.prefillTokens[slot] = tokens;
  });
  return { snapshot, request: requestFor('x'.repeat(4 * promptTokens), request) };
}

const header = (name: string, value: string): Partial<SchedulingRequest> => ({
  header: (asked) => (asked === name ? value : undefined),
});
const roles = ['decode', 'prefill', 'both', 'encode', 'encode-prefill', 'encode-prefill-decode'].map((role) => ({
  labels: { 'llm-d.ai/role': role },
}));
const range = (text: string) => ({ labels: { 'llm-d.ai/context-length-range': text } });

describe("llm-d's further scorers", () => {
  test.each<[string, string, Case, number[]]>([
    ['fewer requests are better', 'active-request-scorer', { members: [{ inFlight: 4 }, { inFlight: 1 }, {}] }, [0, 0.75, 1]],
    [
      'up to the idle threshold nobody is busy, beyond it there is a gap',
      'active-request-scorer',
      { parameters: { idleThreshold: 1, maxBusyScore: 0.5 }, members: [{ inFlight: 4 }, { inFlight: 1 }, { inFlight: 2 }] },
      [0, 1, 0.25],
    ],
    [
      'tokens under way and those of the request count',
      'token-load-scorer',
      { parameters: { queueThresholdTokens: 1_000 }, members: [{ tokens: 500 }, {}, { tokens: 5_000 }], promptTokens: 60 },
      [0.44, 0.94, 0],
    ],
    [
      'a header that equals the label',
      'header-label-affinity-scorer',
      {
        parameters: { headerName: 'X-Zone', labelKey: 'zone' },
        members: [{ labels: { zone: 'a' } }, { labels: { zone: 'b' } }, {}],
        request: header('x-zone', 'b'),
      },
      [0, 1, 0],
    ],
    [
      'no header prefers nobody',
      'header-label-affinity-scorer',
      { parameters: { headerName: 'x-zone', labelKey: 'zone' }, members: [{ labels: { zone: 'a' } }] },
      [0],
    ],
    [
      'ranges: tight, wide, too short, none',
      'context-length-aware',
      { members: [range('0-1000'), range('0-10000'), range('0-400'), {}, range('nonsense')], promptTokens: 500 },
      [0.3 + 0.7 * (0.7 / 1.1 + 0.3 * 0.5), 0.3 + 0.7 * (0.7 / 2 + 0.3 * 0.95), 0.3 / 1.1, 0.5, 0.5],
    ],
    [
      'an attribute, lower is better, within the candidates',
      'endpoint-attribute-scorer',
      {
        parameters: { attributeKey: 'num_requests_running', algorithm: { type: 'linear_lower_is_better' } },
        members: [{ running: 10 }, { running: 0 }, { running: 5 }, { running: 3, updatedAtMs: 0 }],
      },
      [0, 1, 0.5, 0],
    ],
    [
      'an attribute, higher is better, in a fixed range',
      'endpoint-attribute-scorer',
      {
        parameters: {
          attributeKey: 'kv_cache_usage_perc',
          algorithm: { type: 'linear_higher_is_better', normalization: { fixedRange: { min: 0, max: 0.5 } } },
        },
        members: [{ kv: 0.25 }, { kv: 0.9 }],
      },
      [0.5, 1],
    ],
    ['nobody was cold yet', 'no-hit-lru-scorer', { members: [{}, {}, {}], promptTokens: 100 }, [1, 0.5, 0]],
  ])('%s (%s)', (_, type, given, expected) => {
    const { plugin, problems, prefix } = make(type, given.parameters);
    expect(problems).toEqual([]);
    const { snapshot, request } = surroundings(given);
    const { ready } = snapshot;
    const scorer = plugin as Scorer;
    prefix.prepare(request, snapshot, ready, ready.length);
    scorer.producer?.prepare(request, snapshot, ready, ready.length);
    const totals = new Float64Array(ready.length);
    scorer.score(request, snapshot, ready, ready.length, 1, totals);
    expect([...totals]).toEqual(expected.map((score) => expect.closeTo(score, 9)));
  });

  test('no-hit-lru-scorer sends cold requests round, and leaves warm ones alone', () => {
    const { plugin, prefix } = make('no-hit-lru-scorer');
    const scorer = plugin as Scorer;
    const { snapshot } = poolOf({}, {}, {});
    const { ready } = snapshot;
    const scores = (text: string, goesTo: number): number[] => {
      const request = requestFor(text);
      prefix.prepare(request, snapshot, ready, 3);
      scorer.producer!.prepare(request, snapshot, ready, 3);
      const totals = new Float64Array(3);
      scorer.score(request, snapshot, ready, 3, 1, totals);
      scorer.producer!.picked(snapshot, goesTo);
      prefix.picked(snapshot, goesTo);
      return [...totals];
    };
    scores('a'.repeat(512), 0);
    expect(scores('b'.repeat(512), 1)).toEqual([0, 1, 0.5]);
    expect(scores('c'.repeat(512), 2)).toEqual([0.5, 0, 1]);
    expect(scores('a'.repeat(512), 2)).toEqual([0.5, 0.5, 0.5]);
  });

  test('a session stays where its token or its name says, and the answer carries the token', () => {
    const token = Buffer.from('/engine-1').toString('base64');
    const { snapshot } = poolOf({}, {}, {});
    const { ready } = snapshot;
    const scores = (plugin: Scorer, request: SchedulingRequest): number[] => {
      plugin.producer!.prepare(request, snapshot, ready, 3);
      const totals = new Float64Array(3);
      plugin.score(request, snapshot, ready, 3, 1, totals);
      return [...totals];
    };
    const encoded = make('session-affinity-scorer').plugin as Scorer;
    expect(scores(encoded, requestFor('', header('x-session-token', token)))).toEqual([0, 1, 0]);
    expect(scores(encoded, requestFor('', header('x-session-token', 'forged')))).toEqual([0, 0, 0]);
    expect(encoded.producer!.answerHeaders!(snapshot, 1)).toEqual(['x-session-token', token]);

    const clock = new ManualClock(1_000);
    const named = make('session-affinity-scorer', { strategy: 'session_id' }, clock).plugin as Scorer;
    const chat = requestFor('', header('x-session-id', 'chat-7'));
    expect(scores(named, chat)).toEqual([0, 0, 0]);
    named.producer!.picked(snapshot, 2);
    expect(scores(named, chat)).toEqual([0, 0, 1]);
    clock.advance(300_001);
    expect(scores(named, chat)).toEqual([0, 0, 0]);
  });
});

describe("llm-d's further filters", () => {
  const attribute = (operator: string, extra: object = {}) => ({
    attribute: 'num_requests_waiting',
    algorithm: { type: 'threshold', threshold: { operator, value: 3 } },
    ...extra,
  });
  const queues = [{ waiting: 1 }, { waiting: 3 }, { waiting: 9, updatedAtMs: 0 }];
  test.each<[string, string, Case, number[]]>([
    ['decoders, and those without a role', 'decode-filter', { members: [...roles, {}] }, [0, 2, 5, 6]],
    ['those that prefill', 'prefill-filter', { members: [...roles, {}] }, [1, 2, 4, 5]],
    ['those that encode', 'encode-filter', { members: [...roles, {}] }, [3, 4, 5]],
    [
      'every condition must hold',
      'utilization-filter',
      {
        parameters: {
          conditions: [
            { metric: 'active-requests', maxValue: 2 },
            { metric: 'kv-cache-utilization', maxValue: 0.5 },
          ],
        },
        members: [{ inFlight: 3 }, { kv: 0.6 }, { inFlight: 2, kv: 0.5 }],
      },
      [2],
    ],
    [
      'nobody left is nobody, unless asked otherwise',
      'utilization-filter',
      { parameters: { conditions: [{ metric: 'waiting-queue', maxValue: 0 }] }, members: [{ waiting: 1 }] },
      [],
    ],
    [
      'asked otherwise',
      'utilization-filter',
      {
        parameters: { conditions: [{ metric: 'waiting-queue', maxValue: 0 }], fallbackOnEmpty: true },
        members: [{ waiting: 1 }],
      },
      [0],
    ],
    ['below, and unknown ones pass', 'endpoint-attribute-filter', { parameters: attribute('LessThan'), members: queues }, [0, 2]],
    [
      'unknown ones fail',
      'endpoint-attribute-filter',
      { parameters: attribute('LessThan', { onMissing: 'Fail' }), members: queues },
      [0],
    ],
    ['at least', 'endpoint-attribute-filter', { parameters: attribute('GreaterThanOrEqual'), members: queues }, [1, 2]],
    [
      'the named ones in their order',
      'header-based-testing-filter',
      { members: [{}, {}, {}], request: header('test-epp-endpoint-selection', '10.0.0.2, 10.0.0.0:8000,1.1.1.1') },
      [2, 0],
    ],
    ['without the header all', 'header-based-testing-filter', { members: [{}, {}] }, [0, 1]],
    [
      'queue and cache below their bounds',
      'utilization-detector',
      { members: [{ waiting: 5 }, { kv: 0.8 }, { waiting: 4, kv: 0.79 }] },
      [2],
    ],
    ['all where none would stay', 'utilization-detector', { members: [{ waiting: 5 }, { kv: 0.8 }] }, [0, 1]],
    [
      'requests under way',
      'concurrency-detector',
      { parameters: { maxConcurrency: 2 }, members: [{ inFlight: 2 }, { inFlight: 1 }] },
      [1],
    ],
    [
      'tokens under way, with headroom',
      'concurrency-detector',
      {
        parameters: { concurrencyMode: 'tokens', maxTokenConcurrency: 100, headroom: 0.5 },
        members: [{ tokens: 149, inFlight: 999 }, { tokens: 150 }],
      },
      [0],
    ],
    [
      'prompts outside of the range',
      'context-length-aware',
      { parameters: { enableFiltering: true }, members: [range('0-99'), range('100-200'), {}], promptTokens: 100 },
      [1, 2],
    ],
  ])('%s (%s)', (_, type, given, expected) => {
    const { plugin, problems } = make(type, given.parameters);
    expect(problems).toEqual([]);
    const { snapshot, request } = surroundings(given);
    const candidates = snapshot.ready.slice();
    const kept = (plugin as Filter).filter(request, snapshot, candidates, candidates.length);
    expect([...candidates.subarray(0, kept)]).toEqual(expected);
  });

  test('prefix-cache-affinity-filter keeps who has the prompt, until the wait there is too long', () => {
    const { plugin, prefix } = make('prefix-cache-affinity-filter', { maxTTFTPenaltyMs: 100, peakPrefillThroughput: 10_000 });
    const { snapshot } = poolOf({}, {}, {});
    const { ready, table } = snapshot;
    const request = requestFor('p'.repeat(2_048));
    prefix.prepare(request, snapshot, ready, 3);
    prefix.picked(snapshot, 1);
    const kept = (): number[] => {
      const candidates = ready.slice();
      prefix.prepare(request, snapshot, ready, 3);
      return [...candidates.subarray(0, (plugin as Filter).filter(request, snapshot, candidates, 3))];
    };
    expect(kept()).toEqual([1]);
    table.prefillTokens[1] = 1_000;
    expect(kept()).toEqual([1]);
    table.prefillTokens[1] = 1_001;
    expect(kept()).toEqual([0, 1, 2]);
  });
});

test.each([
  ['header-label-affinity-scorer', {}, /AIG504 .*'headerName'/],
  ['utilization-filter', { conditions: [{ metric: 'gpu', maxValue: 1 }] }, /AIG503 .*no usable conditions/],
  ['endpoint-attribute-scorer', { attributeKey: 'dcgm', algorithm: {} }, /AIG503 .*'attributeKey'.*num_requests_waiting/],
  [
    'session-affinity-scorer',
    { strategy: 'session_id', sessionIdConfig: { sources: [{ attribute: 'x' }] } },
    /AIG503 .*'sources'/,
  ],
  ['session-id-producer', { ttl: '5 days' }, /AIG503 .*'ttl' is no duration/],
  ['token-producer', { vllm: { url: 'http://x' } }, /AIG508 .*'vllm' asks a tokenizer/],
  ['prefix-cache-affinity-filter', { ttftSource: 'latencyPredictor' }, /AIG503 .*'ttftSource'/],
])('%s refuses %j', (type, parameters, message) => {
  expect(make(type, parameters).problems.map(formatProblem)[0]).toMatch(message);
});
