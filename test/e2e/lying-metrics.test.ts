import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../components/describe-with';
import { type RunningEnvoy, startEnvoy } from '../components/envoy-bootstrap';
import { writeEndpoints } from '../components/picker-files';
import { eventually } from '../components/process';
import { type EngineProcess, startEngine } from '../components/simulated-engine';
import { buildPicker, fileModeFlags, type RunningPicker, startPicker } from '../integration/picker-program/start-picker';
import { Load } from './support/load';

jest.setTimeout(60_000);

const PER_SECOND = 60;
const SECONDS = 8;

describeWith(['envoy'], 'an engine whose metrics say that it is always idle', ({ envoy: program }) => {
  const folder = mkdtempSync(join(tmpdir(), 'liar-'));
  let engines: EngineProcess[];
  let liar: Server;
  let picker: RunningPicker;
  let envoy: RunningEnvoy;

  beforeAll(async () => {
    buildPicker();
    // the liar is six times slower than the others
    const speeds = [1, 6, 6];
    engines = await Promise.all(
      speeds.map((speed, i) => startEngine(['--speed', String(speed), '--pod-name', `engine-${i}`, '--mode', 'generate'])),
    );
    liar = await lyingFront(engines[0]!);
    const ports = [(liar.address() as AddressInfo).port, ...engines.slice(1).map(({ port }) => port)];
    writeEndpoints(join(folder, 'endpoints.yaml'), ports);
    const config = join(folder, 'config.yaml');
    // no scheduling profile: the picker's own
    writeFileSync(
      config,
      `apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- {name: files, type: file-discovery, parameters: {path: ${join(folder, 'endpoints.yaml')}, watchFile: true}}
dataLayer: {discovery: {pluginRef: files}}
`,
    );
    picker = await startPicker(fileModeFlags(config));
    envoy = await startEnvoy(program, { pickerPort: picker.grpcPort, enginePorts: ports });
    await eventually('the first answer', async () => (await fetch(`${envoy.url}/v1/models`)).ok);
  });
  afterAll(async () => {
    await envoy?.process.stop();
    liar?.close();
    liar?.closeAllConnections();
    await Promise.all([picker, ...(engines ?? [])].map((running) => running?.stop()));
    rmSync(folder, { recursive: true });
  });

  it('gets no more than its share, because the picker counts what it sent itself', async () => {
    const load = Load.start({
      perSecond: PER_SECOND,
      targets: () => [`127.0.0.1:${envoy.port}`],
      request: (index) => ({ model: 'llama', stream: index % 2 === 0, prompt: `question ${index}`, maxTokens: 64 }),
    });
    await eventually('the load', () => load.answered > PER_SECOND * SECONDS, 30_000);
    const { failures, sent } = await load.stop();
    expect(failures).toEqual([]);
    expect(load.answersOf('engine-0') / sent).toBeLessThan(1 / 3);
    // and it is not written off: what it does answer it answers well
    expect(load.answersOf('engine-0')).toBeGreaterThan(0);
  });
});

/** Everything of the engine but its metrics, which are always those of its first moment. */
async function lyingFront({ url, port }: EngineProcess): Promise<Server> {
  const idle = await (await fetch(`${url}/metrics`)).text();
  const server = createServer((incoming, answer) => {
    if (incoming.url === '/metrics') {
      answer.setHeader('content-type', 'text/plain; version=0.0.4');
      answer.end(idle);
      return;
    }
    const { method, url: path, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (from) => {
      answer.writeHead(from.statusCode!, from.headers);
      from.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
