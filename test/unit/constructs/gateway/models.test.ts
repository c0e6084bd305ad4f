import { Duration } from 'cdk8s';
import { parse } from 'yaml';
import {
  ApiGeneration,
  CalendarWindow,
  ClientIdentity,
  Criticality,
  EndpointPicker,
  GatewayImplementation,
  InferenceModel,
  ModelApi,
  RateLimitKey,
  SecretReference,
  Stickiness,
  StoreFailure,
  TokenStore,
  warningsBelow,
} from '../../../../src';
import { GatewayProgram, ofKind, only } from '../../../support/gateway-program';

/** The policy that the picker of the gateway gets. */
function policyOf(objects: ReturnType<GatewayProgram['synth']>): any {
  return parse(
    Object.values(ofKind(objects, 'ConfigMap')).find(({ data }) => data?.['policy.yaml'] !== undefined).data['policy.yaml'],
  );
}

describe('models become the picker’s policy', () => {
  test.each([
    [Stickiness.header('X-Session-Id'), { source: 'header', name: 'x-session-id' }],
    [Stickiness.client(), { source: 'client' }],
  ])('with what keeps a session at its target', (stickiness, expected) => {
    const program = new GatewayProgram();
    const identity = ClientIdentity.apiKeys({ name: 'keys' });
    const gateway = program.gateway(GatewayImplementation.kong(), { identity });
    const targets = ['one', 'two'].map((name) => ({ pool: program.pool(name) }));
    gateway.addModel('a', { targets, stickiness });
    expect(policyOf(program.synth()).models[0].stickiness).toEqual(expected);
  });

  test('with names, shares, priorities and fallbacks', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong(), { headerClasses: { small: 'b' }, defaultModel: 'a' });
    const [one, two] = [program.pool('one'), program.pool('two')];
    gateway.addModel('a', {
      targets: [
        { pool: one, weight: 9 },
        { pool: two, weight: 1 },
      ],
      aliases: ['a-latest'],
      criticality: Criticality.CRITICAL,
    });
    gateway.addModel('b', { pool: two, fallbackPool: one, criticality: Criticality.SHEDDABLE });
    expect(policyOf(program.synth())).toEqual({
      apiVersion: 'cdk8s-ai-gateway.dev/v1alpha1',
      kind: 'PickerPolicy',
      pools: ['one', 'two'].map((name) => ({ name, endpoints: { inferencePool: { name, namespace: 'ai' } } })),
      models: [
        {
          name: 'a',
          aliases: ['a-latest'],
          targets: [
            { pool: 'one', weight: 9 },
            { pool: 'two', weight: 1 },
          ],
          priority: 100,
        },
        { name: 'b', targets: [{ pool: 'two' }], priority: -100, fallbackPool: 'one' },
      ],
      defaultModel: 'a',
      classes: { header: 'x-model-class', values: { small: 'b' } },
      priorities: {
        bands: [
          { name: 'critical', priority: 100 },
          { name: 'sheddable', priority: -100 },
        ],
      },
    });
  });

  test('any other priority has a band of its own, and equal ones need none', () => {
    const bandsOf = (...priorities: number[]): unknown => {
      const program = new GatewayProgram();
      const pool = program.pool('one');
      const gateway = program.gateway(GatewayImplementation.kong());
      for (const [i, priority] of priorities.entries()) {
        gateway.addModel(`model-${i}`, { pool, criticality: Criticality.priority(priority) });
      }
      return policyOf(program.synth()).priorities;
    };
    expect(bandsOf(7, 0, -3, 7)).toEqual({
      bands: [
        { name: 'priority-7', priority: 7 },
        { name: 'standard', priority: 0 },
        { name: 'priority--3', priority: -3 },
      ],
    });
    expect(bandsOf(0, 0)).toBeUndefined();
  });

  test('the engines answer to the model’s name, so that no request has to be rewritten', () => {
    const program = new GatewayProgram();
    program.gateway(GatewayImplementation.kong()).addModel('chat', { pool: program.pool('one') });
    const objects = program.synth();
    const { args } = ofKind(objects, 'Deployment')['one-engine'].spec.template.spec.containers[0];
    expect(args.slice(1, 4)).toEqual(['--served-model-name', 'chat', 'Qwen/Qwen2.5-7B-Instruct']);
    expect(policyOf(objects).models[0].targets).toEqual([{ pool: 'one' }]);
  });

  test('has the access lists, each picker those of its models', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong(), {
      identity: ClientIdentity.jwt({ issuer: 'https://issuer.example', tenantClaim: 'org' }),
      modelAccess: { clients: { alice: ['m', 'alias'] }, tenants: { red: ['m'] } },
    });
    gateway.addModel('m', { pool: program.pool('one'), aliases: ['alias'] });
    expect(policyOf(program.synth())).toMatchObject({ access: { clients: { alice: ['m', 'alias'] }, tenants: { red: ['m'] } } });
  });

  test('has limits of requests and of answers that are cut', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong());
    gateway.addModel('m', { pool: program.pool('one') });
    const key = RateLimitKey.everything();
    gateway.addTokenRateLimit('cut', { tokens: 500, window: Duration.hours(1), key, clampAnswers: true });
    gateway.addRequestRateLimit('rate', { requests: 60, window: Duration.minutes(1), key });
    gateway.addConcurrencyLimit('at-once', { requests: 4, key, shadow: true });
    const calendarWindow = CalendarWindow.week({ timeZone: 'Asia/Tokyo' });
    gateway.addTokenRateLimit('weekly', { tokens: 9_000, calendarWindow, key });
    gateway.addRequestRateLimit('daily', { requests: 90, calendarWindow: CalendarWindow.day(), key });
    expect(policyOf(program.synth())).toMatchObject({
      limits: [
        { name: 'cut', unit: 'tokens', amount: 500, clamp: true },
        { name: 'rate', unit: 'requests', amount: 60, windowSeconds: 60, key: { source: 'all' } },
        { name: 'at-once', unit: 'concurrent', amount: 4, shadow: true },
        { name: 'weekly', unit: 'tokens', calendarWindow: { period: 'week', timeZone: 'Asia/Tokyo' } },
        { name: 'daily', unit: 'requests', calendarWindow: { period: 'day', timeZone: 'UTC' } },
      ],
      store: { memory: { file: '/var/lib/picker/limits.snapshot' } },
    });
  });

  test('limits, identity and store are in it, with the Secrets mounted that it names', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong(), {
      identity: ClientIdentity.apiKeys({ name: 'keys' }),
      tokenStore: TokenStore.redis({
        host: 'redis',
        tls: true,
        password: SecretReference.fromSecretName('redis', 'password'),
        caCertificate: SecretReference.fromSecretName('redis-ca', 'ca.crt'),
        clientCertificate: { name: 'redis-client' },
      }),
    });
    gateway.addModel('m', { pool: program.pool('one') });
    gateway.addTokenRateLimit('hourly', {
      tokens: 500,
      window: Duration.hours(1),
      key: RateLimitKey.client(),
      models: ['m'],
      cachedWeight: 0.1,
      onStoreFailure: StoreFailure.LOCAL,
      shadow: true,
    });
    const objects = program.synth();
    expect(policyOf(objects)).toMatchObject({
      identity: { source: 'apiKeys', directory: '/etc/picker-api-keys' },
      limits: [
        {
          name: 'hourly',
          unit: 'tokens',
          amount: 500,
          windowSeconds: 3600,
          key: { source: 'client' },
          models: ['m'],
          weights: { cached: 0.1 },
          shadow: true,
          onStoreFailure: 'local',
        },
      ],
      store: {
        redis: {
          address: 'redis:6379',
          tls: true,
          caFile: '/etc/picker-store-ca/ca.crt',
          certFile: '/etc/picker-store-certificate/tls.crt',
          keyFile: '/etc/picker-store-certificate/tls.key',
          passwordFile: '/etc/picker-store/password',
          keyPrefix: 'aig:ai/gw:',
        },
      },
    });
    const { volumes, containers } = ofKind(objects, 'Deployment')['gw-proxy'].spec.template.spec;
    const secrets = volumes.flatMap((volume: any) => volume.secret?.secretName ?? []);
    expect(secrets).toEqual(['keys', 'redis', 'redis-ca', 'redis-client']);
    const picker = containers.find(({ name }: { name: string }) => name !== 'envoy');
    expect(picker.volumeMounts.map(({ mountPath }: any) => mountPath)).toEqual(
      expect.arrayContaining(['/etc/picker-api-keys', '/etc/picker-store']),
    );
    const envoy = containers.find(({ name }: { name: string }) => name === 'envoy');
    expect(envoy.volumeMounts.map(({ mountPath }: any) => mountPath)).toEqual(['/etc/envoy']);
  });

  test('a model made as a construct of its own is served like one that addModel made', () => {
    const program = new GatewayProgram();
    program
      .gateway(GatewayImplementation.kong())
      .serve(new InferenceModel(program.chart, 'own', { modelName: 'm', pool: program.pool('one') }));
    expect(policyOf(program.synth()).models.map(({ name }: { name: string }) => name)).toEqual(['m']);
  });
});

describe('models become objects of the API that the cluster runs', () => {
  test.each([
    [ApiGeneration.V1ALPHA1, { targetPortNumber: 9002 }],
    [ApiGeneration.V1ALPHA2, { portNumber: 9002 }],
  ])('InferencePool and InferenceModel for an old generation', (generation, port) => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong());
    gateway.addModel('Chat 70B'.replace(' ', '-'), {
      pool: program.pool('one', { generation }),
      criticality: Criticality.CRITICAL,
      aliases: ['chat'],
    });
    const objects = program.synth();
    const pool = only(objects, 'InferencePool');
    expect(pool.apiVersion).toBe(generation.poolApiVersion);
    expect(pool.spec).toMatchObject({
      targetPortNumber: 8000,
      extensionRef: { name: 'gw-proxy', failureMode: 'FailClose', ...port },
    });
    const models = ofKind(objects, 'InferenceModel');
    expect(models['chat-70b'].spec).toEqual({ modelName: 'Chat-70B', criticality: 'Critical', poolRef: { name: 'one' } });
    // the old kinds have no aliases: an alias is a model that is rewritten
    expect(models['chat'].spec.targetModels).toEqual([{ name: 'Chat-70B' }]);
  });

  test('models whose names give the same object name get different ones', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong());
    const pool = program.pool('one', { generation: ApiGeneration.V1ALPHA2 });
    for (const name of ['x_a', 'x.a', 'x-a']) gateway.addModel(name, { pool });
    const models = ofKind(program.synth(), 'InferenceModel');
    expect(Object.entries(models).map(([name, { spec }]) => [name.replace(/[0-9a-f]{6}$/, '<digest>'), spec.modelName])).toEqual([
      ['x-a', 'x_a'],
      ['x-a-<digest>', 'x.a'],
      ['x-a-<digest>', 'x-a'],
    ]);
  });

  test('the v1 generation has no InferenceModel', () => {
    const program = new GatewayProgram();
    program.gateway(GatewayImplementation.kong()).addModel('m', { pool: program.pool('one') });
    const kinds = new Set(program.synth().map(({ kind }) => kind));
    expect(['InferenceModel', 'InferenceObjective', 'InferenceModelRewrite'].filter((kind) => kinds.has(kind))).toEqual([]);
  });

  test.each([
    ['llm-d.ai/v1alpha2', undefined],
    ['inference.networking.x-k8s.io/v1alpha2', ModelApi.INFERENCE_EXTENSION],
  ])('the llm-d picker gets objectives and rewrites of %s, and the user learns what they are worth', (apiVersion, modelApi) => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.istio(), {
      picker: EndpointPicker.llmd({ delivery: undefined }),
      modelApi,
    });
    gateway.addModel('chat', { pool: program.pool('one'), aliases: ['chat-latest'], criticality: Criticality.CRITICAL });
    const objects = program.synth();
    expect(only(objects, 'InferenceObjective')).toMatchObject({
      apiVersion,
      spec: { priority: 100, poolRef: { group: 'inference.networking.k8s.io', name: 'one' } },
    });
    expect(only(objects, 'InferenceModelRewrite').spec.rules).toEqual([
      { matches: [{ model: { type: 'Exact', value: 'chat-latest' } }], targets: [{ modelRewrite: 'chat' }] },
    ]);
    expect(warningsBelow(program.app).map(({ message }) => message)).toEqual([
      expect.stringContaining('x-llm-d-inference-objective: chat'),
    ]);
  });
});

describe('replicas of the picker', () => {
  function replicas(props: object, limited: boolean): { count: number; warnings: string[] } {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.kong(), props);
    gateway.addModel('m', { pool: program.pool('one') });
    if (limited) gateway.addTokenRateLimit('l', { tokens: 1, window: Duration.minutes(1), key: RateLimitKey.everything() });
    const { spec } = ofKind(program.synth(), 'Deployment')['gw-proxy'];
    return { count: spec.replicas, warnings: warningsBelow(program.app).map(({ message }) => message) };
  }

  test('are two', () => {
    expect(replicas({}, false)).toEqual({ count: 2, warnings: [] });
  });

  test('are one where a budget is counted in memory, which is said', () => {
    expect(replicas({}, true)).toEqual({ count: 1, warnings: [expect.stringContaining('TokenStore.redis')] });
  });

  test('are two again with a shared store', () => {
    expect(replicas({ tokenStore: TokenStore.redis({ host: 'redis' }) }, true)).toEqual({ count: 2, warnings: [] });
  });

  test('are what the user says', () => {
    expect(replicas({ picker: { replicas: 5 } }, false).count).toBe(5);
  });
});
