import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLOW_CONTROL_PLUGINS } from '../../../src/picker/flow-control/llmd-settings';
import { PROGRAM_PLUGINS } from '../../../src/picker/program/unsupported';
import { SCHEDULING_PLUGINS } from '../../../src/picker/scheduling/plugin-registry';
import { checkPlugins } from '../../../src/picker-config/check-plugins';
import { EMPTY_ENDPOINT_PICKER_CONFIG } from '../../../src/picker-config/endpoint-picker-config';
import { PLUGIN_CATALOGUE } from '../../../src/picker-config/plugin-catalogue';
import { formatProblem } from '../../../src/shared/problem';

/** The names that llm-d-router v0.10 registers (`cmd/epp/runner/runner.go`), by the stability that it gives them. */
const ALPHA = `disaggregatedset-rollout-screener session-affinity-filter session-affinity-scorer endpoint-attribute-filter
  endpoint-attribute-scorer topology-affinity-filter topology-affinity-scorer utilization-filter header-label-affinity-scorer
  header-profile-handler topology-extractor dcgm-data-source dcgm-extractor burst-prefix-cache-producer p2p-source-producer
  multicluster-file-discovery multicluster-metrics-data-source multicluster-metrics-extractor multicluster-session-affinity-filter
  multicluster-queue-scorer multicluster-kv-cache-utilization-scorer multicluster-prefix-cache-scorer
  multicluster-approx-prefix-cache-producer sheddable-eviction-filter priority-then-time-eviction-order-policy priority-holdback-policy
  soft-reflective-ceiling-policy agent-identity`;
const BETA = `label-selector-filter encode-filter decode-filter prefill-filter data-parallel-profile-handler single-profile-handler
  disagg-profile-handler prefix-based-pd-decider always-disagg-pd-decider always-disagg-multimodal-decider load-aware-scorer
  context-length-aware prefix-cache-scorer kv-cache-utilization-scorer queue-scorer running-requests-size-scorer lora-affinity-scorer
  token-load-scorer no-hit-lru-scorer active-request-scorer mm-embeddings-cache-scorer latency-scorer max-score-picker random-picker
  weighted-random-picker prefix-cache-affinity-filter slo-headroom-tier-filter header-based-testing-filter latency-slo-admitter
  probabilistic-admitter global-strict-fairness-policy round-robin-fairness-policy program-aware-fairness fcfs-ordering-policy
  edf-ordering-policy slo-deadline-ordering-policy static-usage-limit-policy utilization-detector concurrency-detector metrics-data-source
  core-metrics-extractor models-data-source models-data-extractor k8s-notification-source endpoint-notification-source
  request-attribute-reporter destination-endpoint-served-verifier file-discovery precise-prefix-cache-producer approx-prefix-cache-producer
  token-producer inflight-load-producer predicted-latency-producer mm-embeddings-cache-producer session-id-producer openai-parser
  anthropic-parser vllmhttp-parser vllmgrpc-parser sglanghttp-parser vertexai-parser passthrough-parser`;
const DEPRECATED = `by-label by-label-selector precise-prefix-cache-scorer pd-profile-handler disagg-headers-handler
  prefill-header-handler tokenizer local-syncer`;

const named = (list: string): string[] => list.split(/\s+/).sort();
const loads = new Set([...SCHEDULING_PLUGINS.keys(), ...PROGRAM_PLUGINS, ...FLOW_CONTROL_PLUGINS]);
const TABLE = readFileSync(join(__dirname, '../../../docs/picker/configuration.md'), 'utf8');

test.each([
  ['alpha', ALPHA],
  ['beta', BETA],
  ['deprecated', DEPRECATED],
])('the catalogue has every %s type of the reference, and no other', (stability, list) => {
  const ours = [...PLUGIN_CATALOGUE.values()].filter((plugin) => plugin.stability === stability).map(({ type }) => type);
  expect(ours.sort()).toEqual(named(list));
});

test.each([
  ...PLUGIN_CATALOGUE.keys(),
])('%s works, or is refused by name with the reason, and the table of the docs says which', (type) => {
  const config = { ...EMPTY_ENDPOINT_PICKER_CONFIG, plugins: [{ name: 'a', type }] };
  const problems = checkPlugins(config, { supported: loads, allowExperimental: true }, (path) => path).map(formatProblem);
  const row = TABLE.split('\n').find((line) => line.startsWith(`| \`${type}\` |`))!;
  if (loads.has(type)) {
    expect([problems, row.endsWith('| works |')]).toEqual([[], true]);
    return;
  }
  const { why, instead } = PLUGIN_CATALOGUE.get(type)!;
  expect(problems).toEqual([
    `AIG508 llm-d's plugin type '${type}' is not supported by this picker: ${why}: ${instead} [plugins[0].type]`,
  ]);
  expect(row.endsWith(`| refused: ${why}. Instead: ${instead} |`)).toBe(true);
});
