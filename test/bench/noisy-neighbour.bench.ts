/**
 * What a neighbour costs: critical requests beside a sheddable flood, and equal tenants beside one that asks for ten times its share, on
 * simulated engines behind real Envoy. This project's picker, and where EPP names it llm-d's with its flow control on the same traffic.
 * `npm run bench -- --noisy-neighbour`, about seven minutes. Numbers of one machine: read the ratios.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SeededRandom } from '../../src/shared/random';
import { type RunningEngine, runEngine } from '../../src/simulation/engine/run-engine';
import { startEnvoy } from '../components/envoy-bootstrap';
import { eventually, freePorts, type RunningProcess, startProcess } from '../components/process';
import { components, findComponent, requireComponent } from '../components/resolver';

const ENGINES = 4;
const AT_ONCE = 8;
const STEP_MS = 20;
const TOKENS = 40;
/** Requests a second that the engines can serve together. */
const CAPACITY = (ENGINES * AT_ONCE * 1e3) / (STEP_MS * TOKENS);
const WARM_UP_MS = 8_000;
const MEASURED_MS = 60_000;
const TENANTS = 4;

/** Requests of one kind, at random times. */
interface Stream {
  readonly name: string;
  readonly perSecond: number;
  readonly model: string;
  readonly tenant: string;
}

interface Measured {
  readonly name: string;
  readonly sent: number;
  readonly served: number;
  readonly refused: number;
  readonly ttftMs: readonly number[];
}

const CRITICAL: Stream = { name: 'critical', perSecond: 5, model: 'critical', tenant: 'critical' };
const FLOOD: Stream = { name: 'flood', perSecond: 3 * CAPACITY, model: 'sheddable', tenant: 'flood' };
/** Everyone wants somewhat more than the share, and one ten times as much. */
const EQUALS: readonly Stream[] = Array.from({ length: TENANTS }, (_, i) => ({
  name: `tenant-${i}`,
  perSecond: (i === 0 ? 10 : 1.2) * (CAPACITY / TENANTS),
  model: 'standard',
  tenant: `tenant-${i}`,
}));

const SOURCES = 'apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n';

function ourFiles(folder: string, endpoints: string): string[] {
  const policy = path.join(folder, 'policy.yaml');
  writeFileSync(
    policy,
    `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools: [{ name: engines, endpoints: { file: { path: ${endpoints} } } }]
models:
  - { name: critical, priority: 100, targets: [{ pool: engines }] }
  - { name: standard, targets: [{ pool: engines }] }
  - { name: sheddable, priority: -100, targets: [{ pool: engines }] }
identity: { source: header }
priorities:
  bands:
    - { name: critical, priority: 100 }
    - { name: standard, priority: 0, maxRequests: 200, queueSeconds: 10 }
    - { name: sheddable, priority: -100, maxRequests: 200, queueSeconds: 10 }
`,
  );
  return [`--policy-file=${policy}`, `--config-text=${SOURCES}`];
}

/** The same bounds; without Kubernetes there are no objectives, so what is critical is a tenant of its own. */
function referenceFiles(folder: string, endpoints: string): string[] {
  const config = path.join(folder, 'epp.yaml');
  writeFileSync(
    config,
    `${SOURCES}featureGates: [flowControl]
plugins:
- {type: file-discovery, parameters: {path: ${endpoints}}}
- {type: queue-scorer}
- {type: kv-cache-utilization-scorer}
- {type: prefix-cache-scorer}
- {type: metrics-data-source}
- {type: core-metrics-extractor}
- {type: round-robin-fairness-policy}
- {type: utilization-detector}
schedulingProfiles:
- name: default
  plugins: [{pluginRef: queue-scorer, weight: 2}, {pluginRef: kv-cache-utilization-scorer, weight: 2}, {pluginRef: prefix-cache-scorer, weight: 3}]
dataLayer:
  discovery: {pluginRef: file-discovery}
  sources: [{pluginRef: metrics-data-source, extractors: [{pluginRef: core-metrics-extractor}]}]
flowControl:
  defaultRequestTTL: 10s
  saturationDetector: {pluginRef: utilization-detector}
  priorityBands: [{priority: 0, maxRequests: 200, fairnessPolicyRef: round-robin-fairness-policy}]
`,
  );
  return ['--config-file', config];
}

async function withWorld<T>(subject: 'picker' | 'llm-d', work: (port: number) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'noisy-'));
  const engines: RunningEngine[] = [];
  const running: RunningProcess[] = [];
  try {
    const profile = { maxRunningSequences: AT_ONCE, stepOverheadMs: STEP_MS, decodeMsPerSequence: 0, prefillOverheadMs: 0 };
    for (let i = 0; i < ENGINES; i++) {
      engines.push(await runEngine({ models: ['critical', 'standard', 'sheddable'], profile, speed: 1 }));
    }
    const endpoints = path.join(folder, 'endpoints.yaml');
    const ports = engines.map(({ port }) => port);
    const list = ports.map((port, i) => ({ name: `engine-${i}`, address: '127.0.0.1', port: String(port) }));
    writeFileSync(endpoints, JSON.stringify({ endpoints: list }));
    const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
    const common = [
      ...[`--grpc-port=${grpc}`, `--grpc-health-port=${health}`, `--metrics-port=${metrics}`],
      ...['--secure-serving=false', '--tracing=false', '--metrics-endpoint-auth=false', '-v=1'],
    ];
    const ours = subject === 'picker';
    const program = ours ? process.execPath : requireComponent('epp');
    const args = ours
      ? [path.resolve('dist/picker/main.js'), ...common, ...ourFiles(folder, endpoints)]
      : ['--pool-name=engines', ...common, ...referenceFiles(folder, endpoints)];
    running.push(await startProcess(program, { args, ready: { port: grpc } }));
    const envoy = await startEnvoy(requireComponent('envoy'), { pickerPort: grpc, enginePorts: ports, retries: 0 });
    running.push(envoy.process);
    await eventually('an answer through Envoy', async () => (await send(envoy.port, CRITICAL)).status === 200);
    return await work(envoy.port);
  } finally {
    for (const one of running.reverse()) await one.stop('SIGKILL');
    for (const engine of engines) await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 2_000 });
let nonce = 0;

function send(port: number, { model, tenant }: Stream): Promise<{ status: number; ttftMs: number }> {
  return new Promise((resolve) => {
    const content = `${++nonce} tell me something that nobody has asked for yet`;
    const body = JSON.stringify({
      model,
      stream: true,
      max_tokens: TOKENS,
      ignore_eos: true,
      messages: [{ role: 'user', content }],
    });
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-aig-client-id': tenant,
      'x-llm-d-inference-fairness-id': tenant,
    };
    const startedAt = performance.now();
    let ttftMs = -1;
    const call = request({ port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', agent, headers }, (answer) => {
      answer.on('data', () => {
        if (ttftMs < 0) ttftMs = performance.now() - startedAt;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, ttftMs }));
      answer.on('error', () => resolve({ status: 0, ttftMs }));
    });
    call.on('error', () => resolve({ status: 0, ttftMs: -1 }));
    call.end(body);
  });
}

/** All streams at once; what began after the warm-up counts. */
async function drive(port: number, streams: readonly Stream[]): Promise<Measured[]> {
  const beganAt = performance.now();
  return Promise.all(
    streams.map(async (stream, index): Promise<Measured> => {
      const random = new SeededRandom(index + 1);
      const sent: Promise<void>[] = [];
      const result = { name: stream.name, sent: 0, served: 0, refused: 0, ttftMs: [] as number[] };
      let atMs = 0;
      while (atMs < WARM_UP_MS + MEASURED_MS) {
        atMs += (-Math.log(1 - random.next()) * 1e3) / stream.perSecond;
        const waitMs = atMs - (performance.now() - beganAt);
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        const counts = atMs >= WARM_UP_MS;
        if (counts) result.sent++;
        sent.push(
          send(port, stream).then(({ status, ttftMs }) => {
            const endedMs = performance.now() - beganAt;
            if (status === 200 && endedMs >= WARM_UP_MS && endedMs < WARM_UP_MS + MEASURED_MS) result.served++;
            if (!counts) return;
            if (status === 200) result.ttftMs.push(ttftMs);
            else result.refused++;
          }),
        );
      }
      await Promise.all(sent);
      return result;
    }),
  );
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

/** Jain, Chiu and Hawe 1984: 1 where all have the same. */
function fairness(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

async function main(): Promise<void> {
  const subjects = ['picker', ...('path' in findComponent(components.epp) ? ['llm-d'] : [])] as ('picker' | 'llm-d')[];
  const critical = [];
  const equals = [];
  for (const subject of subjects) {
    const [alone] = await withWorld(subject, (port) => drive(port, [CRITICAL]));
    const [beside, flood] = await withWorld(subject, (port) => drive(port, [CRITICAL, FLOOD]));
    const p99 = [alone!, beside!].map(({ ttftMs }) => quantile(ttftMs, 0.99)) as [number, number];
    critical.push({
      subject,
      'p50 alone ms': quantile(alone!.ttftMs, 0.5).toFixed(1),
      'p90 alone ms': quantile(alone!.ttftMs, 0.9).toFixed(1),
      'p99 alone ms': p99[0].toFixed(1),
      'p50 beside ms': quantile(beside!.ttftMs, 0.5).toFixed(1),
      'p90 beside ms': quantile(beside!.ttftMs, 0.9).toFixed(1),
      'p99 beside ms': p99[1].toFixed(1),
      'p99 ratio': (p99[1] / p99[0]).toFixed(2),
      'critical refused': beside!.refused,
      'flood served/s': ((flood!.served * 1e3) / MEASURED_MS).toFixed(1),
      'flood refused': flood!.refused,
    });
    const tenants = await withWorld(subject, (port) => drive(port, EQUALS));
    const shares = tenants.map(({ served }) => served);
    equals.push({
      subject,
      ...Object.fromEntries(tenants.map(({ name, served }) => [`${name}/s`, ((served * 1e3) / MEASURED_MS).toFixed(1)])),
      fairness: fairness(shares).toFixed(3),
      'p99 ttft of equals ms': quantile(
        tenants.slice(1).flatMap(({ ttftMs }) => ttftMs),
        0.99,
      ).toFixed(0),
      'refused of equals': tenants.slice(1).reduce((sum, { refused }) => sum + refused, 0),
    });
  }
  process.stdout.write(`capacity ${CAPACITY} requests/s\n`);
  console.table(critical);
  console.table(equals);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
