/**
 * What admission costs: an API key and five matching limits, in memory. Run:
 * `npx esbuild test/bench/admission.bench.ts --bundle --platform=node --outfile=/tmp/b.js && node /tmp/b.js`.
 * Numbers of one machine: read the ratios.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Grant } from '../../src/picker/director/admission';
import { BudgetAdmission } from '../../src/picker/director/budget-admission';
import type { ResolvedModel } from '../../src/picker/director/model-resolver';
import type { Outcome, RequestFacts } from '../../src/picker/ext-proc/director';
import { ApiKeyIdentity } from '../../src/picker/identity/api-key-identity';
import { BodyScan, scanBody } from '../../src/picker/openai/body-scanner';
import { createLog } from '../../src/picker/telemetry/log';
import { Budgets } from '../../src/picker/tokens/budgets';
import { MemoryStore } from '../../src/picker/tokens/memory-store';
import type { PolicyLimit, PolicyLimitKey } from '../../src/picker-config/picker-policy';
import { monotonicClock } from '../../src/shared/clock';

const RUNS = 9;
const CALLS = 50_000;

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
const resolved: ResolvedModel = {
  model: 'llama',
  targetModel: 'llama',
  attempts: [{ pool: { name: 'pool', endpoints: undefined as never, setHeaders: undefined }, targetModel: undefined }],
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

const rows = [];
for (const [name, limits, keys] of [
  ['no limits, no keys', 0, false],
  ['API keys', 0, true],
  ['5 limits', 5, false],
  ['API keys and 5 limits', 5, true],
] as const) {
  const gate = admission(limits, keys);
  const times: [admit: number, settle: number][] = [];
  const grants: (Grant | undefined)[] = new Array<Grant | undefined>(CALLS);
  for (let run = 0; run < RUNS; run++) {
    const start = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) {
      const facts = requests[i % 1_000]!;
      gate.identify(facts);
      grants[i] = gate.admit(facts, resolved) as Grant | undefined;
      void grants[i]?.answerHeaders;
    }
    const admitted = process.cpuUsage(start);
    const half = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) grants[i]?.settle(outcome);
    const settled = process.cpuUsage(half);
    times.push([(admitted.user + admitted.system) / CALLS, (settled.user + settled.system) / CALLS]);
  }
  const median = (index: 0 | 1): string =>
    times
      .map((pair) => pair[index])
      .sort((a, b) => a - b)
      [RUNS >> 1]!.toFixed(2);
  rows.push({ case: name, 'admit µs': median(0), 'settle µs': median(1) });
}
console.table(rows);
rmSync(folder, { recursive: true });
