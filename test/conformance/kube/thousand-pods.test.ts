import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMs, memoryMb } from '../../bench/support/process-usage';
import { bundled } from '../../components/bundle';
import { describeWith } from '../../components/describe-with';
import { eventually, type RunningProcess, startProcess } from '../../components/process';
import { destinationOf, ExtProcClient } from '../../integration/picker-program/ext-proc-client';
import { aPicker, aPool } from '../../unit/constructs/picker/support';
import { type ApiServer, startApiServer } from '../apiserver';
import { addressOf, ManyEngines } from './many-engines';
import { Objects, writeKubeconfig } from './objects';
import { pickerToken } from './service-account';

const PODS = 1_000;
const REPLACED = 100;
/** Requests to the API server at once. */
const AT_ONCE = 25;
/** Of the Deployment that the constructs emit. */
const MEMORY_LIMIT_MB = 512;
const IDLE_MS = 10_000;

describeWith(['etcd', 'kube-apiserver'], 'a pool of 1,000 pods', (programs) => {
  const folder = mkdtempSync(join(tmpdir(), 'thousand-pods-'));
  const measured: [string, string][] = [];
  let server: ApiServer;
  let objects: Objects;
  let kubeconfig: string;
  let engines: ManyEngines;
  let picker: RunningProcess & { readonly grpcPort: number; readonly metricsPort: number };
  let client: ExtProcClient;

  beforeAll(async () => {
    engines = await ManyEngines.start(PODS + REPLACED);
    server = await startApiServer(programs);
    await server.installCrds(['inference-extension']);
    objects = await new Objects(server, 'llm').createNamespace();
    const token = await pickerToken(objects, aPicker({ pool: aPool() }).objects());
    kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), server, token);
    await objects.createPool('llama-pool', [engines.port]);
    await inTurn(range(0, PODS), (index) => objects.createReadyPod(`pod-${index}`, addressOf(index)));
  }, 300_000);

  afterAll(async () => {
    client?.destroy();
    await picker?.stop('SIGKILL');
    await server?.stop();
    await engines?.stop();
    rmSync(folder, { recursive: true });
    if (process.env['MEASURE'] === '1') console.table(Object.fromEntries(measured));
  });

  async function pick(): Promise<string | undefined> {
    const stream = client.open();
    stream.chat('llama', 'hello');
    const destination = await destinationOf(stream);
    stream.end();
    return destination;
  }

  async function readyEndpoints(): Promise<number> {
    const page = await (await fetch(`http://127.0.0.1:${picker.metricsPort}/metrics`)).text();
    return Number(/^llm_d_epp_ready_endpoints\{name="llama-pool"\} (\d+)$/m.exec(page)?.[1]);
  }

  it('is known when the picker is ready, and fits into the memory that the constructs give it', async () => {
    const beganMs = performance.now();
    const running = await startProcess(process.execPath, {
      args: [
        bundled('picker/main.ts'),
        ...['--pool-name=llama-pool', '--pool-namespace=llm', '--secure-serving=false', '--bind-address=127.0.0.1'],
        ...['--debug-address=off', '--grpc-port=0', '--grpc-health-port=0', '--metrics-port=0'],
      ],
      ready: /^(\{.*endpoint picker is serving.*\})$/m,
      env: { KUBECONFIG: kubeconfig },
    });
    picker = { ...running, ...JSON.parse(running.readyMatch[1]!) };
    client = new ExtProcClient(`http://127.0.0.1:${picker.grpcPort}`);
    await eventually('the first pick', async () => (await pick()) !== undefined, 30_000, 5);
    measured.push(['start of the process to the first pick, ms', (performance.now() - beganMs).toFixed(0)]);
    measured.push(['CPU until then, ms', cpuMs(picker.pid).toFixed(0)]);
    // the first list comes at once, not pod by pod
    expect(await readyEndpoints()).toBe(PODS);

    const chosen = new Set<string>();
    for (let i = 0; i < 100; i++) chosen.add((await pick())!);
    expect(chosen.size).toBeGreaterThan(50);

    await settled();
    const before = cpuMs(picker.pid);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    measured.push(['share of a core while all engines are idle', ((cpuMs(picker.pid) - before) / IDLE_MS).toFixed(3)]);
    measured.push(['resident memory, MB', memoryMb(picker.pid).rss.toFixed(0)]);
  }, 120_000);

  it('may be replaced in part, and no request goes to a pod that is gone', async () => {
    const [cpuBefore, beganMs] = [cpuMs(picker.pid), performance.now()];
    const gone = new Set(range(0, REPLACED).map((index) => `${addressOf(index)}:${engines.port}`));
    await inTurn(range(0, REPLACED), async (index) => {
      await objects.deletePod(`pod-${index}`, 0);
      await objects.createReadyPod(`pod-${PODS + index}`, addressOf(PODS + index));
    });
    const rolloutMs = performance.now() - beganMs;
    await eventually('the new pods', async () => (await readyEndpoints()) === PODS, 30_000, 5);
    measured.push([`rollout of ${REPLACED} pods, ms`, rolloutMs.toFixed(0)]);
    measured.push(['from its end until all are known, ms', (performance.now() - beganMs - rolloutMs).toFixed(0)]);
    measured.push(['CPU for it, ms', (cpuMs(picker.pid) - cpuBefore).toFixed(0)]);
    for (let i = 0; i < 100; i++) expect(gone.has((await pick())!)).toBe(false);
    const { peak } = memoryMb(picker.pid);
    measured.push(['highest resident memory, MB', peak.toFixed(0)]);
    expect(peak).toBeLessThan(MEMORY_LIMIT_MB);
  }, 120_000);

  /** Every engine has been asked, and the pace is that of idle ones. */
  async function settled(): Promise<void> {
    await eventually(
      'the reports of all',
      async () => {
        const page = await (await fetch(`http://127.0.0.1:${picker.metricsPort}/metrics`)).text();
        return /^llm_d_epp_average_kv_cache_utilization\{name="llama-pool"\} 0\.(1|09999)/m.test(page);
      },
      60_000,
    );
  }
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

async function inTurn(indices: readonly number[], work: (index: number) => Promise<void>): Promise<void> {
  const left = [...indices];
  const worker = async (): Promise<void> => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) await work(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
