import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CONTROL_HEADERS } from '../../../src/shared/control-headers';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { policyFlags } from '../../components/picker-files';
import { eventually, freePorts, type RunningProcess, startProcess } from '../../components/process';
import { type SidecarEnvoy, startSidecarEnvoy } from '../../components/sidecar-envoy';

const PICKER = path.join(__dirname, '../../../dist/picker/main.js');

const POLICY = `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - name: llama
    endpoints: { file: { path: FOLDER/llama.yaml } }
  - name: mistral
    endpoints: { file: { path: FOLDER/mistral.yaml } }
    fallbackPool: llama
  - name: echo
    endpoints: { file: { path: FOLDER/echo.yaml } }
models:
  - { name: llama-3-70b, aliases: [llama], targets: [{ pool: llama }], priority: 100 }
  - { name: mistral-7b, targets: [{ pool: mistral, model: mistralai/Mistral-7B }] }
  - { name: headers, targets: [{ pool: echo }] }
  - name: canary
    targets: [{ pool: llama, model: llama-3-70b, weight: 3 }, { pool: mistral, model: mistralai/Mistral-7B, weight: 1 }]
    stickiness: { source: header, name: x-session-id }
classes: { header: x-model-class, values: { small: mistral-7b } }
`;

/** The bootstrap that the constructs ship, the real picker, simulated engines: everything of sidecar mode but the cluster. */
describeWith(['envoy'], 'sidecar mode with real Envoy', ({ envoy }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecar-'));
  const engines = new Map<string, RunningEngine>();
  let echo: Server;
  let proxy: SidecarEnvoy;
  let picker: RunningProcess;
  let jwtProxy: SidecarEnvoy;
  let issuer: Issuer;
  let seen: IncomingHttpHeaders = {};

  beforeAll(async () => {
    for (const [name, models] of [
      ['llama-0', ['llama-3-70b']],
      ['llama-1', ['llama-3-70b', 'mistral-7b']],
      ['mistral-0', ['mistralai/Mistral-7B']],
    ] as const) {
      engines.set(name, await runEngine({ models, podName: name, mode: 'echo', speed: 50 }));
    }
    echo = createServer((incoming, answer) => {
      seen = incoming.headers;
      incoming.resume().on('end', () => answer.setHeader('content-type', 'application/json').end('{"object":"chat.completion"}'));
    });
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));

    const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
    const portOf = (name: string): number => engines.get(name)!.port;
    const pools = {
      llama: [portOf('llama-0'), portOf('llama-1')],
      mistral: [portOf('mistral-0')],
      echo: [(echo.address() as AddressInfo).port],
    };
    for (const [name, ports] of Object.entries(pools)) writeEndpoints(folder, name, ports);
    writeFileSync(path.join(folder, 'policy.yaml'), POLICY.replaceAll('FOLDER', folder));

    issuer = await startIssuer();
    const claimHeaders = [{ claim: 'sub', header: 'x-aig-client-id' }];
    const jwt = { issuer: issuer.url, audiences: ['llm'], jwksUri: `${issuer.url}/jwks.json`, claimHeaders };
    const flags = policyFlags(path.join(folder, 'policy.yaml'), { grpc, health, metrics });
    picker = await startProcess(process.execPath, { args: [PICKER, ...flags], ready: /endpoint picker is serving/ });
    const options = { folder, pickerPort: grpc, pools };
    proxy = await startSidecarEnvoy(envoy, options);
    jwtProxy = await startSidecarEnvoy(envoy, { ...options, input: { jwt } });
  });

  afterAll(async () => {
    await proxy?.process.stop();
    await jwtProxy?.process.stop();
    issuer?.server.close();
    await picker?.stop();
    for (const engine of engines.values()) await engine.close();
    echo?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const chat = (model: string | undefined, headers: Record<string, string> = {}, more: object = {}): Promise<Answer> =>
    send(proxy.port, 'POST', '/v1/chat/completions', headers, { model, messages: [{ role: 'user', content: 'hello' }], ...more });

  const podOf = async (model: string): Promise<unknown> => (await chat(model)).headers['x-inference-pod'];

  test.each([
    ['llama-3-70b', /^llama-/],
    ['llama', /^llama-/],
    ['mistral-7b', /^mistral-/],
  ])('the body’s model %s chooses the pool', async (model, pod) => {
    const answer = await chat(model);
    expect([answer.status, answer.headers['x-inference-pod']]).toEqual([200, expect.stringMatching(pod)]);
    expect(JSON.parse(answer.body).model).toBe(model);
  });

  test('the class header chooses it whatever the body says', async () => {
    expect((await chat('llama', { 'x-model-class': 'small' })).headers['x-inference-pod']).toBe('mistral-0');
  });

  test('a session stays in its pool, and the sessions are spread by the weights', async () => {
    const poolOf = async (session: string): Promise<string> =>
      String((await chat('canary', { 'x-session-id': session })).headers['x-inference-pod']).replace(/-\d$/, '');
    const sessions = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    const first = await Promise.all(sessions.map(poolOf));
    expect(await Promise.all(sessions.map(poolOf))).toEqual(first);
    const moved = first.filter((pool) => pool === 'mistral').length;
    // a quarter of 60 within four standard deviations
    expect([moved > 1, moved < 29, first.every((pool) => pool === 'llama' || pool === 'mistral')]).toEqual([true, true, true]);
    expect((await chat('canary')).status).toBe(200);
  });

  test('a client can choose neither pool nor pod', async () => {
    const target = `127.0.0.1:${engines.get('mistral-0')!.port}`;
    const answer = await chat('llama', { 'x-aig-pool': 'mistral', 'x-gateway-destination-endpoint': target });
    expect(answer.headers['x-inference-pod']).toMatch(/^llama-/);
  });

  test('the engine sees no control header, neither the client’s nor the picker’s', async () => {
    const forged = Object.fromEntries(CONTROL_HEADERS.map((header) => [header, 'forged']));
    expect((await chat('headers', { ...forged, 'x-request-id': 'kept' })).status).toBe(200);
    expect(CONTROL_HEADERS.filter((header) => header in seen)).toEqual([]);
    expect(seen['x-request-id']).toBe('kept');
  });

  test('an unknown model gets 404 in the API’s shape', async () => {
    const answer = await chat('gpt-9');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body).error.message).toContain('canary, headers, llama, llama-3-70b, mistral-7b');
  });

  test('GET /v1/models names the models of all pools', async () => {
    const answer = await send(proxy.port, 'GET', '/v1/models');
    expect(JSON.parse(answer.body).data.map(({ id }: { id: string }) => id)).toEqual([
      'canary',
      'headers',
      'llama',
      'llama-3-70b',
      'mistral-7b',
    ]);
  });

  test('a stream comes through, under the name that the client asked for', async () => {
    const answer = await chat('mistral-7b', {}, { stream: true, stream_options: { include_usage: true } });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    const events = answer.body.split('\n\n').filter((event) => event.startsWith('data: {'));
    expect(events.length).toBeGreaterThan(1);
    expect(new Set(events.map((event) => JSON.parse(event.slice(6)).model))).toEqual(new Set(['mistral-7b']));
    expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  describe('with tokens of clients', () => {
    const ask = (token: string | undefined, headers = {}): Promise<Answer> =>
      send(
        jwtProxy.port,
        'POST',
        '/v1/chat/completions',
        { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
        {
          model: 'headers',
          messages: [{ role: 'user', content: 'hello' }],
        },
      );
    const later = Math.floor(Date.now() / 1000) + 600;

    test('a valid one is let through, and goes no further than the proxy', async () => {
      const token = issuer.sign({ iss: issuer.url, aud: 'llm', sub: 'team-a', exp: later });
      expect((await ask(token, { 'x-aig-client-id': 'forged' })).status).toBe(200);
      expect(seen).not.toHaveProperty('authorization');
      expect(seen).not.toHaveProperty('x-aig-client-id');
    });

    test.each<[string, () => string | undefined]>([
      ['none', () => undefined],
      ['of another audience', () => issuer.sign({ iss: issuer.url, aud: 'web', sub: 'a', exp: later })],
      ['expired', () => issuer.sign({ iss: issuer.url, aud: 'llm', sub: 'a', exp: later - 3600 })],
      ['changed', () => issuer.sign({ iss: issuer.url, aud: 'llm', sub: 'a', exp: later }).replace(/.{4}$/, 'AAAA')],
    ])('%s gets 401 or 403', async (_title, token) => {
      expect([401, 403]).toContain((await ask(token())).status);
    });
  });

  test('requests of a pool without endpoints go to its fallback pool', async () => {
    writeEndpoints(folder, 'mistral', []);
    await eventually('the fallback answers', async () => (await podOf('mistral-7b')) === 'llama-1');
    writeEndpoints(folder, 'mistral', [engines.get('mistral-0')!.port]);
    await eventually('the pool answers again', async () => (await podOf('mistral-7b')) === 'mistral-0');
  });

  test('when an engine dies, its pool answers without it, and no other pool does', async () => {
    await engines.get('llama-0')!.close();
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = await chat('llama');
      expect([answer.status, answer.headers['x-inference-pod']]).toEqual([200, 'llama-1']);
    }
  });

  test('without a picker requests fail with 503 at once, and never with an engine’s answer', async () => {
    await picker.stop();
    const answer = await chat('llama');
    expect(answer.status).toBe(503);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Issuer {
  readonly url: string;
  readonly server: Server;
  /** A token in compact form (RFC 7519), signed with RS256. */
  sign(claims: object): string;
}

/** Serves its key set over HTTP. */
async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
  const server = createServer((_request, answer) => answer.setHeader('content-type', 'application/json').end(keys));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    sign: (claims) => {
      const signed = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`;
    },
  };
}

function send(port: number, method: string, url: string, headers: Record<string, string> = {}, json?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const type =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ port, host: '127.0.0.1', method, path: url, headers: { ...type, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function writeEndpoints(folder: string, pool: string, ports: readonly number[]): void {
  const endpoints = ports.map((port, index) => ({ name: `${pool}-${index}`, address: '127.0.0.1', port: String(port) }));
  writeFileSync(path.join(folder, `${pool}.yaml`), JSON.stringify({ endpoints }));
}
