import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../components/describe-with';
import { writePickerFiles } from '../components/picker-files';
import { eventually } from '../components/process';
import { type SidecarEnvoy, startSidecarEnvoy } from '../components/sidecar-envoy';
import { type EngineProcess, startEngine } from '../components/simulated-engine';
import { buildPicker, fileModeFlags, type RunningPicker, startPicker } from './picker-program/start-picker';

jest.setTimeout(60_000);

const PROMPT = 'A long beginning that an engine keeps in its cache. '.repeat(60);

describeWith(['envoy'], 'an engine that dies between scrape and pick, behind the sidecar proxy', ({ envoy: program }) => {
  let folder: string;
  let engines: EngineProcess[];
  let picker: RunningPicker;
  let envoy: SidecarEnvoy;
  let url: string;

  beforeAll(async () => {
    buildPicker();
    folder = mkdtempSync(join(tmpdir(), 'fallback-'));
    engines = await Promise.all(
      [0, 1, 2].map((i) => startEngine(['--mode', 'echo', '--speed', '50', '--pod-name', `engine-${i}`])),
    );
    const ports = engines.map(({ port }) => port);
    const config = writePickerFiles(folder, ports);
    const text = readFileSync(config, 'utf8')
      .replace('plugins:\n', 'plugins:\n- {type: max-score-picker, parameters: {maxNumOfEndpoints: 3}}\n')
      .replace('  plugins:\n', '  plugins:\n  - {pluginRef: max-score-picker}\n');
    writeFileSync(config, text);
    picker = await startPicker(fileModeFlags(config));
    envoy = await startSidecarEnvoy(program, {
      folder,
      pickerPort: picker.grpcPort,
      pools: { engines: ports },
      input: { streamIdleSeconds: 30 },
      // one pool that --pool-name names: there is no header to choose among several
      change: (bootstrap) =>
        JSON.parse(JSON.stringify(bootstrap).replace('"cluster_header":"x-aig-pool"', '"cluster":"engines"')),
    });
    url = `http://127.0.0.1:${envoy.port}`;
    await eventually('a first answer', async () => (await ask('hello')) !== undefined);
  });

  afterAll(async () => {
    await envoy?.process.stop();
    await Promise.all([picker?.stop('SIGTERM', 10_000), ...(engines ?? []).map((engine) => engine.stop())]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The engine that answered; undefined for any other status than 200. */
  async function ask(prompt: string): Promise<string | undefined> {
    const body = JSON.stringify({ model: 'llama', prompt, max_tokens: 4 });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/completions`, { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status === 200 ? (response.headers.get('x-inference-pod') ?? undefined) : undefined;
  }

  async function lastDecision(): Promise<string> {
    const page = (await (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/decisions`)).json()) as {
      decisions: { result: string }[];
    };
    return page.decisions[0]!.result;
  }

  test('is picked once more, and its requests go to the next of the list, one after the other', async () => {
    const first = await ask(PROMPT);
    expect(await ask(PROMPT)).toBe(first);
    const dead = Number(first!.slice(-1));
    expect((await lastDecision()).split(',').map((address) => Number(address.split(':')[1]))).toHaveLength(3);

    await engines[dead]!.stop('SIGKILL');
    const answered = await ask(PROMPT);
    // the picker could not know yet: the cache of the dead engine was the best reason to choose it
    const [picked, next] = (await lastDecision()).split(',').map((address) => Number(address.split(':')[1]));
    expect(picked).toBe(engines[dead]!.port);
    expect(answered).toBe(`engine-${engines.findIndex(({ port }) => port === next)}`);
    expect(await envoy.stat('cluster.engines.upstream_rq_retry')).toBeGreaterThanOrEqual(1);

    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(`${PROMPT}${i}`)));
    expect(answers.filter((engine) => engine === undefined)).toEqual([]);
    expect(answers).not.toContain(first);
  });

  test('with a second one dead too, the last one of the list answers', async () => {
    const alive = await ask(PROMPT);
    await Promise.all(engines.filter((_, i) => `engine-${i}` !== alive).map((engine) => engine.stop('SIGKILL')));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`another prompt ${i}`)));
    expect(new Set(answers)).toEqual(new Set([alive]));
  });
});
