/**
 * `npm run bench -- --admission`: what admission costs: an API key, five matching limits in memory, and the queue of a pool that has room.
 * Numbers of one machine: read the ratios to one SHA-256, by which a key is looked up.
 */
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import type { Admission, Grant } from '../../src/picker/director/admission';
import { BudgetAdmission } from '../../src/picker/director/budget-admission';
import type { ResolvedModel } from '../../src/picker/director/model-resolver';
import { QueueAdmission } from '../../src/picker/director/queue-admission';
import type { Outcome, RequestFacts } from '../../src/picker/ext-proc/director';
import { policyFlowControl } from '../../src/picker/flow-control/policy-settings';
import { ApiKeyIdentity } from '../../src/picker/identity/api-key-identity';
import { BodyScan, scanBody } from '../../src/picker/openai/body-scanner';
import { createLog } from '../../src/picker/telemetry/log';
import { Budgets } from '../../src/picker/tokens/budgets';
import { MemoryStore } from '../../src/picker/tokens/memory-store';
import type { PolicyLimit, PolicyLimitKey } from '../../src/picker-config/picker-policy';
import { parsePickerPolicy } from '../../src/picker-config/picker-policy-parser';
import { monotonicClock } from '../../src/shared/clock';

const RUNS = 9;
const CALLS = 50_000;
/** Requests under way at one time: more would measure how the collector moves what lives long. */
const IN_FLIGHT = 1_000;

const folder = mkdtempSync(path.join(tmpdir(), 'keys-'));
for (let i = 0; i < 1_000; i++) writeFileSync(path.join(folder, `client-${i}`), `key-of-client-number-${i}`);

const body = Buffer.from(
  JSON.stringify({ model: 'llama', messages: [{ role: 'user', content: 'word '.repeat(400) }], max_tokens: 100 }),
);
const scanned = new BodyScan();
scanBody('chat', body, scanned);
const request = (client: number): RequestFacts => ({
  id: client,
  header: (name) => (name === 'authorization' ? `Bearer key-of-client-number-${client}` : undefined),
  method: 'POST',
  path: '/v1/chat/completions',
  body,
  scanned,
  subset: undefined,
});
const requests = Array.from({ length: 1_000 }, (_, i) => request(i));
/** Engines that work on a few requests each. */
function endpoints(count: number): EndpointStore {
  const store = new EndpointStore();
  store.replaceAll(
    Array.from({ length: count }, (_, i) => {
      const hostPort = `10.0.0.${i}:8000`;
      return { name: `engine-${i}`, address: `10.0.0.${i}`, port: 8000, labels: {}, ready: true, hostPort };
    }),
  );
  const { table } = store.snapshot;
  table.updatedAtMs.fill(monotonicClock.nowMs());
  table.trustRatio.fill(1);
  table.running.fill(8);
  return store;
}

/** The queue in front of what is inside; bands of three priorities. */
function queued(inner: Admission): QueueAdmission {
  const bands = [100, 0, -100].map((priority) => `{name: p${priority + 100}, priority: ${priority}}`);
  const text = `apiVersion: cdk8s-ai-gateway.dev/v1alpha1\nkind: PickerPolicy\npriorities: {bands: [${bands.join(', ')}]}\n`;
  const gate = new QueueAdmission(inner, {
    log: createLog('silent'),
    nowMs: () => monotonicClock.nowMs(),
    wakeAt: () => undefined,
  });
  gate.use(policyFlowControl(parsePickerPolicy(text, 'policy').policy!));
  return gate;
}

const resolved: ResolvedModel = {
  model: 'llama',
  targetModel: 'llama',
  attempts: [{ pool: { name: 'pool', endpoints: endpoints(8), setHeaders: undefined }, targetModel: undefined }],
  priority: -100,
  fairnessId: '',
};
const outcome: Outcome = {
  status: 200,
  inputTokens: 500,
  outputTokens: 60,
  cachedTokens: 0,
  requestBytes: body.length,
  responseBytes: 900,
  firstByteMs: 5,
  cause: 'natural',
};

function admission(limits: number, keys: boolean): BudgetAdmission {
  const sources: PolicyLimitKey['source'][] = ['client', 'model', 'pool', 'all', 'apiKey'];
  const budgets = new Budgets(monotonicClock, 'bench');
  const rules = sources.slice(0, limits).map(
    (source): PolicyLimit => ({
      name: `by-${source.toLowerCase()}`,
      unit: 'tokens',
      amount: 1_000_000_000_000,
      windowSeconds: 60,
      key: { source },
      weights: { input: 1, output: 3, cached: 0.5 },
      clamp: false,
      shadow: false,
      onStoreFailure: 'closed',
    }),
  );
  budgets.use({ limits: rules, models: [] });
  const made = new BudgetAdmission(budgets, new MemoryStore(budgets.memory, budgets.metrics), createLog('silent'));
  if (keys) {
    const identity = new ApiKeyIdentity(folder, 'authorization', () => undefined);
    identity.start();
    made.identity = identity;
  }
  return made;
}

function micros(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** One digest of what a key and the secret of the process are together. */
function digestMicros(): number {
  const text = 'x'.repeat(44 + requests[0]!.header('authorization')!.length);
  const runs = Array.from({ length: RUNS }, () => {
    const start = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) hash('sha256', text, 'buffer');
    return micros(start) / CALLS;
  });
  return median(runs);
}

const digest = digestMicros();
const rows: object[] = [{ case: 'one SHA-256', 'admit µs': digest.toFixed(2), 'both, in SHA-256': '1.0' }];
for (const [name, limits, keys, hasQueue] of [
  ['no limits, no keys', 0, false, false],
  ['a queue that has room', 0, false, true],
  ['API keys', 0, true, false],
  ['5 limits', 5, false, false],
  ['API keys and 5 limits', 5, true, false],
  ['API keys, 5 limits and the queue', 5, true, true],
] as const) {
  const inner = admission(limits, keys);
  const gate: Admission = hasQueue ? queued(inner) : inner;
  const times: [admit: number, settle: number][] = [];
  const grants: (Grant | undefined)[] = new Array<Grant | undefined>(IN_FLIGHT);
  for (let run = 0; run < RUNS; run++) {
    let [admitUs, settleUs] = [0, 0];
    for (let call = 0; call < CALLS; call += IN_FLIGHT) {
      const start = process.cpuUsage();
      for (let i = 0; i < IN_FLIGHT; i++) {
        const facts = requests[i]!;
        gate.identify!(facts);
        grants[i] = gate.admit(facts, resolved) as Grant | undefined;
        void grants[i]?.answerHeaders;
      }
      admitUs += micros(start);
      const half = process.cpuUsage();
      for (let i = 0; i < IN_FLIGHT; i++) grants[i]?.settle(outcome);
      settleUs += micros(half);
    }
    times.push([admitUs / CALLS, settleUs / CALLS]);
  }
  const [admit, settle] = [median(times.map(([first]) => first)), median(times.map(([, second]) => second))];
  const both = ((admit + settle) / digest).toFixed(1);
  rows.push({ case: name, 'admit µs': admit.toFixed(2), 'settle µs': settle.toFixed(2), 'both, in SHA-256': both });
}
console.table(rows);
rmSync(folder, { recursive: true });
