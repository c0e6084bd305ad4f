import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { explain } from '../../src/cli/explain/command';
import { selfSignedMaterial } from '../../src/picker/server/tls-material';
import { SeededRandom } from '../../src/shared/random';
import { describeWith } from '../components/describe-with';
import { writeEndpoints, writePickerFiles } from '../components/picker-files';
import { eventually } from '../components/process';
import { destinationOf } from './picker-program/ext-proc-client';
import { pickerScene } from './picker-program/picker-scene';
import { fileModeFlags, logged, type RunningPicker, refusedPicker, startPicker } from './picker-program/start-picker';

const scene = pickerScene();

async function metrics({ metricsPort }: RunningPicker): Promise<string> {
  return (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
}

/** Exit code of `explain`, and all that it prints. */
async function explained(args: readonly string[]): Promise<[code: number, text: string]> {
  let text = '';
  const take = (chunk: unknown): boolean => {
    text += String(chunk);
    return true;
  };
  const spies = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')];
  for (const spy of spies) spy.mockImplementation(take);
  try {
    return [await explain(args), text];
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function replaceInConfig(from: string | RegExp, to: string): void {
  const text = readFileSync(scene.config, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(scene.config, text.replace(from, to));
}

test("the reference's files and command line start a picker that chooses the idle engine, counts it, and explains it", async () => {
  const ports = [await scene.engine(() => 9), await scene.engine(() => 1)];
  scene.config = writePickerFiles(scene.folder, ports);
  const picker = await startPicker([...fileModeFlags(scene.config), '--enable-grpc-stream-metrics']);
  await eventually('both engines scraped', async () =>
    (await metrics(picker)).includes('llm_d_epp_average_queue_size{name="epp"} 5'),
  );
  await fetch(`http://127.0.0.1:${picker.debugPort}/debug/decisions`);

  const stream = scene.connect(picker.grpcPort).open();
  stream.chat('llama', 'hello');
  expect(await destinationOf(stream)).toBe(`127.0.0.1:${ports[1]}`);
  expect((await stream.next())?.endOfStream).toBe(true);
  stream.answer('data: {"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\ndata: [DONE]\n\n');
  await stream.next();
  await stream.next();
  stream.end();
  expect(await stream.ended).toBe('0');

  const page = await metrics(picker);
  const labels = 'fairness_id="default-flow",model_name="llama",priority="0",target_model_name="llama"';
  for (const line of [
    `llm_d_epp_request_total{${labels}} 1`,
    `llm_d_epp_request_running{${labels}} 0`,
    `llm_d_epp_request_input_tokens_sum{${labels}} 7`,
    `llm_d_epp_request_output_tokens_sum{${labels}} 3`,
    `llm_d_epp_request_duration_seconds_count{${labels}} 1`,
    `llm_d_epp_request_ttft_seconds_count{${labels},streaming="true"} 1`,
    'llm_d_epp_ready_endpoints{name="epp"} 2',
    'llm_d_epp_average_kv_cache_utilization{name="epp"} 0.25',
    'llm_d_epp_std_dev_queue_size{name="epp"} 4',
    'llm_d_epp_per_endpoint_queue_size{model_server_endpoint="engine-0",name="epp"} 9',
    `llm_d_epp_scheduler_attempts_total{endpoint_name="engine-1",namespace="default",port="${ports[1]}",status="success",target_model_name="llama"} 1`,
    'llm_d_epp_scheduler_e2e_duration_seconds_count 1',
    'llm_d_epp_request_processing_duration_seconds_count 1',
    'llm_d_epp_extproc_streams_total{code="OK"} 1',
    'llm_d_epp_info{build_ref="0.1.0",commit=""} 1',
  ]) {
    expect(page).toContain(`${line}\n`);
  }

  const debug = async (path: string) => (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/${path}`)).json();
  const { decisions } = (await debug('decisions')) as { decisions: { result: string; explanation: { endpoint: string }[] }[] };
  expect(decisions[0]).toMatchObject({ model: 'llama', result: `127.0.0.1:${ports[1]}` });
  expect(decisions[0]!.explanation.map(({ endpoint }) => endpoint)).toEqual([`127.0.0.1:${ports[1]}`, `127.0.0.1:${ports[0]}`]);
  const { endpoints } = (await debug('endpoints')) as { endpoints: { name: string }[] };
  expect(endpoints).toMatchObject([
    { name: 'engine-0', waiting: 9, inFlight: 0, trustRatio: 1 },
    { name: 'engine-1', waiting: 1 },
  ]);
});

test('explain finds a decision of a running picker by the id of its request', async () => {
  const ports = [await scene.engine(() => 9), await scene.engine(() => 1)];
  scene.config = writePickerFiles(scene.folder, ports);
  const picker = await startPicker(fileModeFlags(scene.config));
  await eventually('both engines scraped', async () =>
    (await metrics(picker)).includes('llm_d_epp_average_queue_size{name="epp"} 5'),
  );
  const url = `http://127.0.0.1:${picker.debugPort}`;
  expect(await explained(['--picker', url])).toEqual([1, expect.stringContaining('AIG610 the picker has decided nothing yet')]);

  const stream = scene.connect(picker.grpcPort).open();
  stream.chat('llama', 'hello', { 'x-request-id': 'af-12' });
  await destinationOf(stream);
  stream.end();
  const [code, text] = await explained(['--picker', url, '--request-id', 'af-12']);
  expect(code).toBe(0);
  for (const line of [
    /x-request-id af-12\n/,
    /Model\n {2}'llama': as the request has it/,
    /engine-1 +1\.000 +0\.750 +0\.000 +3\.500 +1 +1 +25%/,
    new RegExp(`Decision\\n {2}engine-1 \\(127\\.0\\.0\\.1:${ports[1]}\\)\\n$`),
  ]) {
    expect(text).toMatch(line);
  }
  expect(await explained(['--picker', url, '--request-id', 'other'])).toEqual([1, expect.stringContaining('AIG610')]);
});

test('a picker is ready at once and small', async () => {
  const picker = await startPicker(fileModeFlags(scene.config));
  // by then the scraper's thread is there too
  await eventually('a scrape', () => picker.output().includes('does not report its metrics'));
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${picker.pid}/status`, 'utf8'))![1]) / 1024;
  process.stderr.write(`picker serves after ${Math.round(picker.startMs)} ms with ${Math.round(rssMb)} MB\n`);
  // far above what is measured on an idle machine (see the line above): a bound for mistakes, not a benchmark
  expect(picker.startMs).toBeLessThan(5_000);
  expect(rssMb).toBeLessThan(200);
});

test('health: on its own port and, as asked, on that of ext_proc; liveness outlives readiness', async () => {
  const picker = await startPicker(fileModeFlags(scene.config));
  for (const port of [picker.healthPort, picker.grpcPort]) {
    const client = scene.connect(port);
    for (const service of ['', 'liveness', 'readiness', 'inference-extension', 'envoy.service.ext_proc.v3.ExternalProcessor']) {
      expect(await client.health(service)).toBe('SERVING');
    }
  }
});

test('asked to end, it is not ready at once, lets a running stream finish, and exits with 0', async () => {
  const picker = await startPicker([...fileModeFlags(scene.config), '--drain-timeout=20s']);
  const health = scene.connect(picker.healthPort);
  expect(await health.health('readiness')).toBe('SERVING');
  const stream = scene.connect(picker.grpcPort).open();
  stream.chat('llama', 'hello');
  expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
  const stopped = picker.stop('SIGTERM', 15_000);
  await eventually('not ready', async () => (await health.health('readiness')) === 'NOT_SERVING');
  expect(await health.health('liveness')).toBe('SERVING');
  // a request that a proxy sends before it has noticed
  const late = scene.connect(picker.grpcPort).open();
  late.chat('llama', 'late');
  expect(await destinationOf(late)).toBe('127.0.0.1:18001');
  late.end();
  // beyond the time in which late requests are taken
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  stream.answer('data: [DONE]\n\n');
  await stream.next();
  expect((await stream.next())?.kind).toBe('responseHeaders');
  expect((await stream.next())?.kind).toBe('responseBody');
  stream.end();
  expect(await stream.ended).toBe('0');
  await stopped;
  expect(await picker.exited).toBe(0);
  expect(logged(picker).map(({ msg }) => msg)).toContain('stopped');
}, 30_000);

test('a storm of SIGTERM is one SIGTERM; Ctrl-C while it drains ends it at once', async () => {
  for (const [impatient, exit] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const picker = await startPicker([...fileModeFlags(scene.config), '--drain-timeout=20s']);
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
    for (let i = 0; i < 200; i++) process.kill(picker.pid, 'SIGTERM');
    await eventually('the drain', () => picker.output().includes('"draining"'));
    for (let i = 0; i < 200; i++) process.kill(picker.pid, 'SIGTERM');
    if (impatient) {
      process.kill(picker.pid, 'SIGINT');
      expect(await stream.ended).not.toBe('0');
    } else {
      stream.answer('data: [DONE]\n\n');
      await stream.next();
      expect((await stream.next())?.kind).toBe('responseHeaders');
      expect((await stream.next())?.kind).toBe('responseBody');
      stream.end();
      expect(await stream.ended).toBe('0');
    }
    expect(await picker.exited).toBe(exit);
  }
}, 30_000);

test('a stream that does not finish is cut after the drain timeout', async () => {
  const picker = await startPicker([...fileModeFlags(scene.config), '--drain-timeout=400ms']);
  const stream = scene.connect(picker.grpcPort).open();
  stream.chat('llama', 'hello');
  await destinationOf(stream);
  await picker.stop('SIGTERM', 10_000);
  expect(await picker.exited).toBe(0);
  expect(await stream.ended).not.toBe('0');
});

test('a certificate is made at start, or mounted and exchanged while it runs', async () => {
  const flags = fileModeFlags(scene.config).map((flag) => (flag === '--secure-serving=false' ? '--secure-serving=true' : flag));
  const own = await startPicker(flags);
  const stream = scene.connect(own.grpcPort, 'https').open();
  stream.chat('llama', 'hello');
  expect(await destinationOf(stream)).toBe('127.0.0.1:18001');

  const write = async (): Promise<string> => {
    const material = await selfSignedMaterial();
    writeFileSync(join(scene.folder, 'tls.key'), material.key);
    writeFileSync(join(scene.folder, 'tls.crt'), material.cert);
    return tlsFingerprintOf(material.cert);
  };
  const first = await write();
  const mounted = await startPicker([
    ...flags,
    '--cert-path',
    scene.folder,
    '--enable-cert-reload',
    '--tls-min-version=VersionTLS13',
  ]);
  expect(await fingerprintAt(mounted.grpcPort)).toBe(first);
  await expect(fingerprintAt(mounted.grpcPort, 'TLSv1.2')).rejects.toThrow();
  writeFileSync(join(scene.folder, 'tls.crt'), 'broken');
  await eventually('refusal', () => mounted.output().includes('the changed certificate is broken, the old one stays'));
  expect(await fingerprintAt(mounted.grpcPort)).toBe(first);
  const second = await write();
  await eventually('the other certificate', async () => (await fingerprintAt(mounted.grpcPort)) === second);
});

test('a changed configuration is taken over, a broken one is refused and the old one stays', async () => {
  const ports = [await scene.engine(() => 9), await scene.engine(() => 1)];
  scene.config = writePickerFiles(scene.folder, ports);
  const picker = await startPicker(fileModeFlags(scene.config));
  const client = scene.connect(picker.grpcPort);
  const choose = async (): Promise<string | undefined> => {
    const stream = client.open();
    stream.chat('llama', 'hello');
    const destination = await destinationOf(stream);
    stream.end();
    return destination;
  };
  await eventually('scraped', async () => (await metrics(picker)).includes('llm_d_epp_average_queue_size{name="epp"} 5'));
  expect(await choose()).toBe(`127.0.0.1:${ports[1]}`);

  replaceInConfig('{type: queue-scorer}', '{type: queue-scorr}');
  await eventually('refusal', () =>
    picker.output().includes("there is no plugin type 'queue-scorr': did you mean 'queue-scorer'?"),
  );
  expect(picker.output()).toContain('the changed configuration is broken, the old one stays');
  expect(await choose()).toBe(`127.0.0.1:${ports[1]}`);

  replaceInConfig(
    '{type: queue-scorr}',
    '{type: queue-scorer}\n- {type: label-selector-filter, parameters: {matchLabels: {none: such}}}',
  );
  replaceInConfig('  plugins:\n', '  plugins:\n  - {pluginRef: label-selector-filter}\n');
  await eventually('taken over', () => picker.output().includes('the changed configuration is in force'));
  const stream = client.open();
  stream.chat('llama', 'hello');
  expect(await stream.next()).toMatchObject({ kind: 'immediateResponse', status: 429 });

  replaceInConfig('watchFile: true', 'watchFile: false');
  await eventually('restart wanted', () => picker.output().includes('which needs a restart: the old one stays'));
}, 20_000);

test('a changed endpoints file changes the pool', async () => {
  const picker = await startPicker(fileModeFlags(scene.config));
  const client = scene.connect(picker.grpcPort);
  writeEndpoints(join(scene.folder, 'endpoints.yaml'), [18_002]);
  await eventually('the other endpoint', async () => {
    const stream = client.open();
    stream.chat('llama', 'hello');
    const destination = await destinationOf(stream);
    stream.end();
    return destination === '127.0.0.1:18002';
  });
});

describe('it does not start', () => {
  const flags = (...more: string[]): string[] => [...fileModeFlags(scene.config), ...more];

  test.each([
    ['with an unknown flag', ['--grpc-prt=1'], "AIG520 unknown flag '--grpc-prt': did you mean 'grpc-port'?"],
    ['with two pools', ['--endpoint-selector=app=vllm'], 'AIG523 --pool-name and --endpoint-selector are both set'],
    ['with traces asked for', ['--tracing=true'], "AIG522 flag '--tracing' is not supported (got 'true')"],
    ['with a metric name', ['--lora-info-metric=x'], 'name the metrics in the parameters of core-metrics-extractor'],
    ['with two configurations', ['--config-text={}'], 'AIG523 --config-file and --config-text are both set'],
    ['with a CA and no certificate for metrics', ['--metrics-client-ca-file=/nowhere'], 'set --metrics-cert-dir'],
    ['with a suite that HTTP/2 forbids', ['--tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA'], 'cannot be used with HTTP/2'],
    [
      'with a configuration that is not there',
      ['--config-file=/nowhere.yaml'],
      'AIG500 the file of --config-file cannot be read: ENOENT',
    ],
    [
      'with certificates that are not there',
      ['--secure-serving', '--cert-path=/nowhere'],
      'AIG530 a file of --cert-path cannot be read',
    ],
  ])('%s', async (_, more, message) => {
    const { exit, messages } = await refusedPicker(flags(...more));
    expect(exit).toBe(1);
    expect(messages).toContainEqual(expect.stringContaining(message));
  });

  test('without a pool or a configuration', async () => {
    const { exit, messages } = await refusedPicker(['--debug-address=off', '--bind-address=127.0.0.1']);
    expect(exit).toBe(1);
    expect(messages).toEqual([
      expect.stringContaining(
        'AIG523 no pool is named: set --pool-name, or --endpoint-selector, or --policy-file with a policy that has pools',
      ),
    ]);
  });

  test('with every fault of its configuration named with its place', async () => {
    replaceInConfig('- {type: queue-scorer}', '- {type: queue-scorer, parameters: {x: 1}}\n- {type: latency-scorer}');
    replaceInConfig('injectDefaults: false', 'injectDefaults: nope');
    replaceInConfig('injectDefaults: nope', 'injectDefaults: false');
    const { exit, messages } = await refusedPicker(flags());
    expect(exit).toBe(1);
    const places = messages.map((message) => /(AIG\d+) .*\[.*epp\.yaml:(\d+:\d+)\]$/.exec(message)?.slice(1).join(' '));
    expect(places.sort()).toEqual(['AIG502 5:40', 'AIG508 6:10']);
  });

  test('with a pool of the flags and a policy that has its own', async () => {
    const { exit, messages } = await refusedPicker(
      flags('--policy-file', join(__dirname, '../fixtures/policy/good-one-pool.yaml')),
    );
    expect(exit).toBe(1);
    expect(messages).toEqual([
      expect.stringMatching(/AIG523 --pool-name names one pool and the policy names its own .*good-one-pool\.yaml:4:3\]$/),
    ]);
  });

  test('with the rate limit files of the reference: the reporter is refused by name', async () => {
    replaceInConfig(
      '- {type: queue-scorer}',
      '- {type: queue-scorer}\n- {name: report-total, type: request-attribute-reporter, parameters: {attributes: []}}',
    );
    const { messages } = await refusedPicker(flags());
    expect(messages).toEqual([
      expect.stringContaining(
        "AIG508 llm-d's plugin type 'request-attribute-reporter' is not supported by this picker: usage is counted here and not handed to the proxy: use limits",
      ),
    ]);
  });

  test('on a port that is taken', async () => {
    const picker = await startPicker(flags());
    const { exit, messages } = await refusedPicker(flags('--metrics-port', String(picker.metricsPort)));
    expect(exit).toBe(1);
    expect(messages).toContainEqual(
      expect.stringContaining('AIG531 the port of --metrics-port cannot be opened: listen EADDRINUSE'),
    );
  });

  test('--help and --version print and end', async () => {
    expect((await refusedPicker(['--help'])).exit).toBe(0);
    expect((await refusedPicker(['--version'])).exit).toBe(0);
  });
});

describeWith(['node24'], 'on the Node of the image', ({ node24 }) => {
  test('the picker starts, decides and ends', async () => {
    const picker = await startPicker(fileModeFlags(scene.config), node24);
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
    stream.end();
    await stream.ended;
    await picker.stop('SIGTERM', 10_000);
    expect(await picker.exited).toBe(0);
    expect(logged(picker).map(({ msg }) => msg)).toContain('stopped');
  });

  test('gives large bodies back byte by byte, though the memory of each read is freed behind it', async () => {
    const picker = await startPicker(fileModeFlags(scene.config), node24);
    const client = scene.connect(picker.grpcPort);
    const bodies = [1, 2, 3, 4].map((seed) => {
      const random = new SeededRandom(seed);
      const content = Array.from({ length: 100_000 }, () => random.next().toString(36)).join(' ');
      return JSON.stringify({ model: 'llama', messages: [{ role: 'user', content }] });
    });
    const echoes = bodies.map(async (body) => {
      const stream = client.open();
      stream.post('/v1/chat/completions', body);
      const pieces: Buffer[] = [];
      for (let reply = await stream.next(); reply !== undefined; reply = await stream.next()) {
        if (reply.piece !== undefined) pieces.push(reply.piece);
        if (reply.endOfStream === true) break;
      }
      stream.end();
      return Buffer.concat(pieces).equals(Buffer.from(body));
    });
    expect(await Promise.all(echoes)).toEqual([true, true, true, true]);
    await picker.stop('SIGTERM', 10_000);
  });
});

function tlsFingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256;
}

async function fingerprintAt(port: number, maxVersion?: 'TLSv1.2'): Promise<string> {
  return new Promise((resolve, reject) => {
    const version = maxVersion === undefined ? {} : { maxVersion };
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'], ...version }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
