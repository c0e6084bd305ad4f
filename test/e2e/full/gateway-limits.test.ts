import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Duration } from 'cdk8s';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { ClientIdentity, GatewayImplementation, LimitEnforcement, RateLimitKey } from '../../../src';
import { isJsonObject, type JsonObject } from '../../../src/validation/schema/schema-node';
import { describeWith } from '../../components/describe-with';
import { eventually, freePorts, type RunningProcess, startProcess } from '../../components/process';
import { envoyGatewayCluster, translateWithEnvoyGateway } from '../../conformance/egctl';
import { type Answer, connectionManager, PickerBehindEnvoy, scratchFolder } from '../../integration/budgets/behind-envoy';
import { GatewayProgram, ofKind } from '../../support/gateway-program';

jest.setTimeout(60_000);

const HOURLY = { window: Duration.hours(1), enforcement: LimitEnforcement.GATEWAY };
const as = (client: string): Record<string, string> => ({ authorization: `Bearer ${client}-key-0123456789` });

/** Every object with that type in a tree. */
function typed(value: unknown, type: string): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap((entry) => typed(entry, type));
  if (!isJsonObject(value)) return [];
  const own = String(value['@type'] ?? '').endsWith(type) ? [value] : [];
  return [...own, ...Object.values(value).flatMap((entry) => typed(entry, type))];
}

describeWith(['envoy', 'egctl', 'ratelimit', 'redis-server'], 'limits that Envoy Gateway enforces', (programs) => {
  const { folder, remove } = scratchFolder();
  const running: RunningProcess[] = [];
  let usage = { prompt_tokens: 0, completion_tokens: 0 };
  let engine: Server;
  let world: PickerBehindEnvoy;
  let redis: Redis;

  beforeAll(async () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.envoyGateway(), {
      identity: ClientIdentity.apiKeys({ name: 'client-keys' }),
    });
    gateway.addModel('m', { pool: program.pool('one') });
    gateway.addTokenRateLimit('team', { ...HOURLY, tokens: 60, key: RateLimitKey.client() });
    gateway.addTokenRateLimit('all', { ...HOURLY, tokens: 4_000_000_000, key: RateLimitKey.everything(), outputWeight: 2 });
    const objects = program.synth();
    const xds = translated(objects as unknown as JsonObject[]);

    engine = createServer((incoming, answer) => {
      incoming.resume().on('end', () => {
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify({ object: 'chat.completion', model: 'm', choices: [], usage }));
      });
    });
    await new Promise<void>((done) => engine.listen(0, '127.0.0.1', done));
    const enginePort = (engine.address() as AddressInfo).port;
    const limitsPort = await startRateLimit(xds.domain, xds.descriptors);
    pickerFiles(ofKind(objects, 'ConfigMap')['one-picker-config'].data['policy.yaml'], enginePort);
    world = await PickerBehindEnvoy.start(programs.envoy, folder, { one: enginePort }, (bootstrap) =>
      addRateLimit(bootstrap, xds, limitsPort),
    );
  });

  afterAll(async () => {
    await world?.stop();
    redis?.disconnect();
    for (const process of running.reverse()) await process.stop();
    engine?.close();
    remove();
  });

  interface RateLimitXds {
    readonly domain: string;
    readonly filter: JsonObject;
    readonly perRoute: JsonObject;
    /** Key and value of the outer, key of the inner. */
    readonly descriptors: readonly (readonly [string, string, string])[];
  }

  /** What Envoy Gateway tells its Envoy of the limits; it must find no fault in the objects. */
  function translated(objects: readonly JsonObject[]): RateLimitXds {
    const { complaints, xds } = translateWithEnvoyGateway(programs.egctl, [...objects, ...envoyGatewayCluster('ai')]);
    expect(complaints).toEqual([]);
    const [perRoute] = typed(xds, 'ratelimit.v3.RateLimitPerRoute') as [any];
    const filter = typed(xds, 'ratelimit.v3.RateLimit').find(({ domain }) => domain === perRoute.domain)!;
    const charged = perRoute.rateLimits.filter((limit: any) => limit.applyOnStreamDone === true);
    const descriptors = charged.map(({ actions: [outer, inner] }: any) => [
      outer.genericKey.descriptorKey,
      outer.genericKey.descriptorValue,
      inner.requestHeaders.descriptorKey,
    ]);
    return { domain: perRoute.domain, filter, perRoute, descriptors };
  }

  async function startRateLimit(domain: string, descriptors: RateLimitXds['descriptors']): Promise<number> {
    const [redisPort, http, grpc, debug] = (await freePorts(4)) as [number, number, number, number];
    const redisArgs = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    running.push(await startProcess(programs['redis-server'], { args: redisArgs, ready: { port: redisPort } }));
    redis = new Redis({ port: redisPort, host: '127.0.0.1' });
    const amounts = [60, 4_000_000_000];
    const config = {
      domain,
      descriptors: descriptors.map(([key, value, inner], index) => ({
        ...{ key, value },
        descriptors: [{ key: inner, rate_limit: { unit: 'hour', requests_per_unit: amounts[index] } }],
      })),
    };
    mkdirSync(path.join(folder, 'rl/llm/config'), { recursive: true });
    writeFileSync(path.join(folder, 'rl/llm/config/llm.yaml'), JSON.stringify(config));
    const loopback = { HOST: '127.0.0.1', GRPC_HOST: '127.0.0.1', DEBUG_HOST: '127.0.0.1' };
    const ports = { PORT: String(http), GRPC_PORT: String(grpc), DEBUG_PORT: String(debug) };
    const store = { REDIS_SOCKET_TYPE: 'tcp', REDIS_URL: `127.0.0.1:${redisPort}`, USE_STATSD: 'false', LOG_LEVEL: 'warn' };
    const files = { RUNTIME_ROOT: path.join(folder, 'rl'), RUNTIME_SUBDIRECTORY: 'llm', RUNTIME_WATCH_ROOT: 'false' };
    const env = { ...process.env, ...loopback, ...ports, ...store, ...files };
    running.push(await startProcess(programs.ratelimit, { args: [], env, ready: { port: grpc } }));
    await eventually('the limits are loaded', async () =>
      (await (await fetch(`http://127.0.0.1:${debug}/rlconfig`)).text()).includes('requests_per_unit=60'),
    );
    return grpc;
  }

  /** The policy that the constructs made, with files for what a cluster would have. */
  function pickerFiles(text: string, enginePort: number): void {
    const policy = parse(text);
    const file = path.join(folder, 'one.yaml');
    writeFileSync(file, `endpoints: [{ name: one, address: 127.0.0.1, port: '${enginePort}' }]`);
    policy.pools[0].endpoints = { file: { path: file } };
    policy.identity.directory = path.join(folder, 'keys');
    mkdirSync(policy.identity.directory);
    for (const client of ['alice', 'bob']) {
      writeFileSync(path.join(policy.identity.directory, client), `${client}-key-0123456789\n`);
    }
    writeFileSync(path.join(folder, 'policy.yaml'), JSON.stringify(policy));
  }

  function addRateLimit(bootstrap: object, { filter, perRoute }: RateLimitXds, port: number): void {
    const name = 'envoy.filters.http.ratelimit';
    const manager = connectionManager(bootstrap);
    manager.http_filters.splice(-1, 0, { name, typed_config: filter });
    for (const route of manager.route_config.virtual_hosts.flatMap(({ routes }) => routes)) {
      route['typed_per_filter_config'] = { [name]: perRoute };
    }
    const { clusters } = (bootstrap as { static_resources: { clusters: JsonObject[] } }).static_resources;
    const { typed_extension_protocol_options } = clusters.find((cluster) => cluster['name'] === 'picker')!;
    const address = { socket_address: { address: '127.0.0.1', port_value: port } };
    clusters.push({
      ...{ name: 'ratelimit_cluster', type: 'STATIC', connect_timeout: '1s', typed_extension_protocol_options },
      load_assignment: { cluster_name: 'ratelimit_cluster', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    });
  }

  async function counted(key: string): Promise<number> {
    const [name] = await redis.keys(`*${key}*`);
    return name === undefined ? -1 : Number(await redis.get(name));
  }

  async function chat(client: string, prompt_tokens: number, completion_tokens: number): Promise<Answer> {
    usage = { prompt_tokens, completion_tokens };
    return world.chat(as(client), { model: 'm' });
  }

  test('charge what the engine counted, and let pass what is under way when a budget ends', async () => {
    const first = await chat('alice', 20, 10);
    expect([first.status, first.headers['x-ratelimit-limit']]).toEqual([200, '60, 60;w=3600, 4000000000;w=3600']);
    await eventually('it is charged', async () => (await counted('alice')) === 30);
    expect((await chat('alice', 40, 10)).status).toBe(200);
    await eventually('it is charged', async () => (await counted('alice')) === 80);
    const refused = await chat('alice', 1, 1);
    expect([refused.status, refused.headers['x-ratelimit-remaining']]).toEqual([429, '0']);
    expect((await chat('bob', 5, 5)).status).toBe(200);
    await eventually('it is charged', async () => (await counted('bob')) === 10);
    expect(await counted('alice')).toBe(80);
    // input once, output twice, of both clients
    expect(await counted('shared')).toBe(40 + 60 + 15);
  });

  test('charge millions of tokens to the token', async () => {
    const before = await counted('shared');
    expect((await chat('bob', 1_234_567, 1_000_001)).status).toBe(200);
    await eventually('it is charged', async () => (await counted('shared')) === before + 1_234_567 + 2 * 1_000_001);
    expect(await counted('bob')).toBe(10 + 1_234_567 + 1_000_001);
  });
});
