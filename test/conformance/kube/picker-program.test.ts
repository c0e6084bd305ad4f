import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from '../../components/bundle';
import { describeWith } from '../../components/describe-with';
import { eventually, type RunningProcess, startProcess } from '../../components/process';
import { type EngineProcess, startEngine } from '../../components/simulated-engine';
import { destinationOf, ExtProcClient } from '../../integration/picker-program/ext-proc-client';
import { aPicker, aPool } from '../../unit/constructs/picker/support';
import { type ApiServer, startApiServer } from '../apiserver';
import { Objects, POOL_GROUP, writeKubeconfig } from './objects';
import { pickerToken } from './service-account';

interface Picker extends RunningProcess {
  readonly grpcPort: number;
  readonly healthPort: number;
  readonly metricsPort: number;
}

describeWith(['etcd', 'kube-apiserver'], 'the picker program in a cluster', (programs) => {
  const folder = mkdtempSync(join(tmpdir(), 'kube-picker-'));
  let server: ApiServer;
  let objects: Objects;
  let kubeconfig: string;
  /** Two, on addresses of their own and on the same port, as pods are. */
  const engines: EngineProcess[] = [];
  let port: number;
  let picker: Picker | undefined;
  const clients: ExtProcClient[] = [];

  beforeAll(async () => {
    server = await startApiServer(programs);
    objects = await new Objects(server, 'llm').createNamespace();
    const token = await pickerToken(objects, aPicker({ pool: aPool() }).objects());
    kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), server, token);
    engines.push(await startEngine(['--host', '127.0.0.11']));
    port = engines[0]!.port;
    engines.push(await startEngine(['--host', '127.0.0.12', '--port', String(port)]));
  }, 120_000);

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await picker?.stop('SIGKILL');
    picker = undefined;
  });

  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  async function start(...flags: string[]): Promise<Picker> {
    const args = [
      bundled('picker/main.ts'),
      ...['--pool-namespace=llm', '--secure-serving=false', '--bind-address=127.0.0.1', '--debug-address=off'],
      ...['--grpc-port=0', '--grpc-health-port=0', '--metrics-port=0'],
      ...flags,
    ];
    const ready = /^(\{.*endpoint picker is serving.*\})$/m;
    const running = await startProcess(process.execPath, { args, ready, env: { KUBECONFIG: kubeconfig } });
    picker = { ...running, ...(JSON.parse(running.readyMatch[1]!) as Picker) };
    return picker;
  }

  function connect(ofPicker: number): ExtProcClient {
    const client = new ExtProcClient(`http://127.0.0.1:${ofPicker}`);
    clients.push(client);
    return client;
  }

  async function pick({ grpcPort }: Picker): Promise<string | undefined> {
    const stream = connect(grpcPort).open();
    stream.chat('llama', 'hello');
    const destination = await destinationOf(stream);
    stream.end();
    return destination;
  }

  const metrics = async ({ metricsPort }: Picker) => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();

  it('lives before its pool exists, is ready when pool and pods are known, and picks a pod', async () => {
    const running = await start('--pool-name=llama-pool');
    const health = connect(running.healthPort);
    await eventually('the complaint', () => running.output().includes('AIG543'));
    expect([await health.health('liveness'), await health.health('readiness')]).toEqual(['SERVING', 'NOT_SERVING']);
    await server.installCrds(['inference-extension', 'llm-d']);
    await objects.createPool('llama-pool', [port]);
    await objects.createReadyPod('a', '127.0.0.11');
    await eventually('readiness', async () => (await health.health('readiness')) === 'SERVING', 30_000);
    await eventually('a pick', async () => (await pick(running)) === `127.0.0.11:${port}`);

    // the address is one that the engine answers on, and the picker reads its metrics there
    await eventually('a scrape', async () =>
      /llm_d_epp_average_kv_cache_utilization\{name="llama-pool"\} \d/.test(await metrics(running)),
    );
    expect((await fetch(`http://${await pick(running)}/v1/models`)).status).toBe(200);

    await objects.createReadyPod('b', '127.0.0.12');
    await eventually('the second pod', async () => (await pick(running)) === `127.0.0.12:${port}`);
    await objects.setReady('a', '127.0.0.11', false);
    await eventually('the drained pod', async () =>
      (await metrics(running)).includes('llm_d_epp_ready_endpoints{name="llama-pool"} 1'),
    );
    for (let i = 0; i < 10; i++) expect(await pick(running)).toBe(`127.0.0.12:${port}`);
    await objects.deletePod('a', 0);
    await objects.deletePod('b', 0);
    await eventually('an empty pool', async () => (await pick(running)) === undefined);

    const page = await metrics(running);
    expect(page).toContain(`aig_picker_discovery_current{source="inferencepools.${POOL_GROUP} llm/llama-pool"} 1\n`);
    expect(page).toContain('aig_picker_discovery_stale_seconds{source="pods llm app=llama"} 0\n');
  }, 90_000);

  it('picks pods by label, without a pool', async () => {
    await objects.createReadyPod('c', '127.0.0.13', { app: 'plain' });
    const running = await start('--endpoint-selector=app=plain', `--endpoint-target-ports=${port}`);
    await eventually('a pick', async () => (await pick(running)) === `127.0.0.13:${port}`);
    expect(running.output()).not.toMatch(/AIG\d{3}/);
  }, 30_000);

  it('gives the engine the model that an InferenceModelRewrite names', async () => {
    await server.installCrds(['llm-d', 'inference-extension']);
    await objects.createPool('rewritten', [port], { app: 'rewritten' });
    await objects.createReadyPod('d', '127.0.0.14', { app: 'rewritten' });
    // the Role of the construct names one pool
    const admin = kubeconfig;
    kubeconfig = writeKubeconfig(join(folder, 'admin'), server);
    const running = await start('--pool-name=rewritten');
    kubeconfig = admin;
    await objects.create('/apis/llm-d.ai/v1alpha2', 'inferencemodelrewrites', {
      apiVersion: 'llm-d.ai/v1alpha2',
      kind: 'InferenceModelRewrite',
      metadata: { name: 'to-v2' },
      spec: {
        poolRef: { name: 'rewritten', group: POOL_GROUP },
        rules: [{ matches: [{ model: { type: 'Exact', value: 'llama' } }], targets: [{ modelRewrite: 'llama-v2' }] }],
      },
    });
    await eventually('the rewritten model', async () => {
      const stream = connect(running.grpcPort).open();
      stream.chat('llama', 'hello');
      await destinationOf(stream);
      const body = await stream.next();
      stream.end();
      return body?.piece?.includes('"model":"llama-v2"');
    });
  }, 60_000);

  it('goes on picking while the API server is away', async () => {
    const running = await start('--endpoint-selector=app=plain', `--endpoint-target-ports=${port}`);
    await eventually('a pick', async () => (await pick(running)) === `127.0.0.13:${port}`);
    await server.kill();
    await eventually('the complaint', () => running.output().includes('what is known stays in use'));
    expect(await pick(running)).toBe(`127.0.0.13:${port}`);
    const health = connect(running.healthPort);
    expect([await health.health('liveness'), await health.health('readiness')]).toEqual(['SERVING', 'SERVING']);
    await eventually('the age', async () =>
      /discovery_stale_seconds\{source="pods llm app=plain"\} [1-9]/.test(await metrics(running)),
    );
    await server.startAgain();
    await eventually('the return', () => running.output().includes('followed again'), 30_000);
  }, 90_000);

  it('does not start without a cluster, and says what to do', async () => {
    const { KUBERNETES_SERVICE_HOST: _, ...env } = process.env;
    const args = [
      bundled('picker/main.ts'),
      '--pool-name=p',
      '--debug-address=off',
      '--bind-address=127.0.0.1',
      '--secure-serving=false',
    ];
    const ports = ['--grpc-port=0', '--grpc-health-port=0', '--metrics-port=0'];
    const running = await startProcess(process.execPath, {
      args: [...args, ...ports],
      env: { ...env, KUBECONFIG: join(folder, 'nowhere') },
    });
    expect(await running.exited).toBe(1);
    expect(running.output()).toMatch(/AIG546 .*nowhere.*set KUBECONFIG/);
  });
});
