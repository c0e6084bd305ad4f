import { Chart, Duration } from 'cdk8s';
import {
  AiGateway,
  ApiGeneration,
  AttachMode,
  CalendarWindow,
  ClientIdentity,
  Criticality,
  EndpointPicker,
  FailureMode,
  GatewayImplementation,
  GatewayListener,
  InferenceModel,
  InferencePool,
  ListenerCertificate,
  type ModelAccess,
  PickerDelivery,
  RateLimitKey,
  Stickiness,
  TokenStore,
} from '../../../../src';
import { GatewayProgram, refusal } from '../../../support/gateway-program';

const { kong, istio, envoyGateway } = GatewayImplementation;
const LIMIT = { tokens: 1_000, window: Duration.minutes(1), key: RateLimitKey.everything() };

const LLMD = EndpointPicker.llmd({ delivery: PickerDelivery.image('ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0') });

type Program = (program: GatewayProgram) => unknown;

/** What a user did, the code, what the message must say, and where it points. */
const REFUSALS: readonly (readonly [string, string, RegExp, Program])[] = [
  [
    'an attach mode that the gateway lacks',
    'AIG461',
    /got 'pool'; allowed: sidecar.*\[llm\/gw\]/,
    (p) => p.gateway(kong(), { attach: AttachMode.POOL }).addModel('m', { pool: p.pool('one') }),
  ],
  [
    'extproc mode with two pools',
    'AIG461',
    /allowed: one pool, or sidecar mode/,
    (p) => twoPools(p, p.gateway(envoyGateway(), { attach: AttachMode.EXTPROC })),
  ],
  [
    'pool mode without the InferencePool kind',
    'AIG461',
    /cluster has none/,
    (p) =>
      p.gateway(istio(), { attach: AttachMode.POOL }).addModel('m', { pool: p.pool('one', { clusterHasInferencePool: false }) }),
  ],
  [
    'FailOpen on Envoy Gateway',
    'AIG478',
    /FailOpen of pool 'one'.*500.*FAIL_CLOSE/,
    (p) => p.gateway(envoyGateway()).addModel('m', { pool: p.pool('one', { failureMode: FailureMode.FAIL_OPEN }) }),
  ],
  [
    'FailOpen in sidecar mode',
    'AIG478',
    /answers 500/,
    (p) =>
      p
        .gateway(istio(), { attach: AttachMode.SIDECAR })
        .addModel('m', { pool: p.pool('one', { failureMode: FailureMode.FAIL_OPEN }) }),
  ],
  [
    'a fallback pool where each pool has its own picker',
    'AIG473',
    /sidecar mode/,
    (p) => {
      p.gateway(istio(), { attach: AttachMode.POOL, defaultModel: 'm' }).addModel('m', {
        pool: p.pool('one'),
        fallbackPool: p.pool('two'),
      });
    },
  ],
  [
    'two models of one name',
    'AIG470',
    /got 'm'.*\[llm\/gw\/Model-n\]/,
    (p) => {
      const g = p.gateway(kong());
      const pool = p.pool('one');
      g.addModel('m', { pool });
      g.addModel('n', { pool, aliases: ['m'] });
    },
  ],
  ['a model without a pool', 'AIG466', /nothing serves the model 'm'/, (p) => p.gateway(kong()).addModel('m', {})],
  [
    'weights on some targets only',
    'AIG466',
    /\[1,"none"\]/,
    (p) => p.gateway(kong()).addModel('m', { targets: [{ pool: p.pool('one'), weight: 1 }, { pool: p.pool('two') }] }),
  ],
  [
    'a weight of zero',
    'AIG466',
    /1 to 1000000/,
    (p) => p.gateway(kong()).addModel('m', { targets: [{ pool: p.pool('one'), weight: 0 }] }),
  ],
  [
    'a model name with a space',
    'AIG465',
    /got 'my model'/,
    (p) => p.gateway(kong()).addModel('my model', { pool: p.pool('one') }),
  ],
  [
    'an adapter that no engine has',
    'AIG467',
    /allowed: none/,
    (p) => p.gateway(kong()).addModel('m', { pool: p.pool('one'), adapters: ['sql'] }),
  ],
  [
    'a fallback pool that is a target',
    'AIG469',
    /got 'one'/,
    (p) => {
      const pool = p.pool('one');
      p.gateway(kong()).addModel('m', { pool, fallbackPool: pool });
    },
  ],
  [
    'a header class without its model',
    'AIG482',
    /got 'nobody'; allowed: m/,
    (p) => p.gateway(kong(), { headerClasses: { small: 'nobody' } }).addModel('m', { pool: p.pool('one') }),
  ],
  [
    'a limit per client without an identity',
    'AIG496',
    /ClientIdentity\.apiKeys.*trustedHeader.*\[llm\/gw\/per-client\]/s,
    (p) => limited(p, { key: RateLimitKey.client() }),
  ],
  [
    'a limit per claim with API keys',
    'AIG496',
    /needs ClientIdentity\.jwt/,
    (p) => limited(p, { key: RateLimitKey.jwtClaim('org') }, { identity: ClientIdentity.apiKeys({ name: 'keys' }) }),
  ],
  [
    'a token that nothing would verify',
    'AIG499',
    /Gateway as a whole, and this one is not made here.*keySet.*AttachMode\.SIDECAR.*apiKeys/,
    (p) =>
      AiGateway.fromGatewayName(p.chart, 'gw', {
        gatewayName: 'company',
        implementation: istio(),
        identity: ClientIdentity.jwt({ issuer: 'https://login.example.com' }),
        picker: { delivery: PickerDelivery.image('registry.example.com/picker:1.0.0') },
      }).addModel('m', { pool: p.pool('one') }),
  ],
  [
    'a limit per a claim that the identity does not take',
    'AIG496',
    /got 'team'; allowed: sub, org/,
    (p) =>
      limited(
        p,
        { key: RateLimitKey.jwtClaim('team') },
        { identity: ClientIdentity.jwt({ issuer: 'https://login.example.com', tenantClaim: 'org' }) },
      ),
  ],
  [
    'a limit per tenant without tenants',
    'AIG496',
    /tenantClaim/,
    (p) => limited(p, { key: RateLimitKey.tenant() }, { identity: ClientIdentity.jwt({ issuer: 'https://login.example.com' }) }),
  ],
  ['a limit of a model that is not there', 'AIG498', /got 'x'; allowed: m/, (p) => limited(p, { models: ['x'] })],
  ['a limit that the llm-d picker would ignore', 'AIG497', /enforces no limits/, (p) => limited(p, {}, { picker: LLMD })],
  [
    'two replicas that would each grant a budget',
    'AIG495',
    /TokenStore\.redis/,
    (p) => limited(p, {}, { picker: { replicas: 2 } }),
  ],
  [
    'two pickers that would each grant a budget',
    'AIG495',
    /got '2 pools'/,
    (p) => {
      const g = p.gateway(istio(), { attach: AttachMode.POOL, defaultModel: 'a', headerClasses: { b: 'b' } });
      twoPools(p, g);
      g.addTokenRateLimit('all', LIMIT);
    },
  ],
  [
    'a limit of no tokens',
    'AIG493',
    /tokens cannot be used \(got 0; allowed: a whole number from 1/,
    (p) => limited(p, { tokens: 0 }),
  ],
  [
    'a limit without a window',
    'AIG493',
    /does not say in what time it counts .*exactly one of window, calendarWindow/,
    (p) => limited(p, { window: undefined }),
  ],
  ['a limit of two windows', 'AIG493', /has two windows/, (p) => limited(p, { calendarWindow: CalendarWindow.month() })],
  [
    'a window in a time zone that there is not',
    'AIG493',
    /no time zone \(got 'Europe\/Bonn'; allowed: UTC, or a name of the IANA/,
    (p) => limited(p, { window: undefined, calendarWindow: CalendarWindow.day({ timeZone: 'Europe/Bonn' }) }),
  ],
  ['a limit that counts nothing', 'AIG493', /counts nothing/, (p) => limited(p, { inputWeight: 0, outputWeight: 0 })],
  ['access lists where nobody is known', 'AIG496', /the gateway knows none/, (p) => listed(p, { clients: { alice: ['m'] } }, {})],
  [
    'access lists of tenants where there are none',
    'AIG496',
    /the identity names none/,
    (p) => listed(p, { tenants: { red: ['m'] } }),
  ],
  ['an access list with a model that is not there', 'AIG498', /got 'gone'; allowed: m/, (p) => listed(p, { others: ['gone'] })],
  [
    "access lists that llm-d's picker would not read",
    'AIG497',
    /knows no clients/,
    (p) => listed(p, { others: ['m'] }, { picker: LLMD }),
  ],
  [
    'clients kept at a target where none are known',
    'AIG496',
    /got 'm'.*Stickiness\.header.*\[llm\/gw\/Model-m\]/,
    (p) => p.gateway(kong()).addModel('m', { pool: p.pool('one'), stickiness: Stickiness.client() }),
  ],
  [
    'sessions that the llm-d picker would tear apart',
    'AIG497',
    /by chance for each request.*got 'm'/,
    (p) => {
      const g = p.gateway(istio(), { attach: AttachMode.POOL, picker: LLMD });
      g.addModel('m', { pool: p.pool('one'), stickiness: Stickiness.header('x-session-id') });
    },
  ],
  ['a session header that is none', 'AIG492', /got 'x session'/, () => Stickiness.header('x session')],
  ['a gateway with limits and no model', 'AIG472', /addModel/, (p) => p.gateway(kong()).addTokenRateLimit('all', LIMIT)],
  ['a raw header as a key', 'AIG492', /setBy/, () => RateLimitKey.trustedHeader('x-user', { setBy: '' })],
  [
    'the authorization header as a key',
    'AIG492',
    /credential/,
    () => RateLimitKey.trustedHeader('Authorization', { setBy: 'us' }),
  ],
  ['API keys as a literal', 'AIG490', /never from a literal/, () => ClientIdentity.apiKeys('sk-123' as never)],
  ['a certificate as a literal', 'AIG476', /never a literal/, () => ListenerCertificate.secret('-----BEGIN' as never)],
  ['an issuer that is no URL', 'AIG491', /got 'login'/, () => ClientIdentity.jwt({ issuer: 'login' })],
  ['a priority beyond 32 bits', 'AIG460', /-2147483648 to 2147483647/, () => Criticality.priority(2 ** 31)],
  ['a store whose host has a port', 'AIG494', /without a port/, () => TokenStore.redis({ host: 'redis:6379' })],
  [
    'certificates for a store that is asked in the clear',
    'AIG494',
    /set tls: true/,
    () => TokenStore.redis({ host: 'redis', clientCertificate: { name: 'redis-client' } }),
  ],
  ['a pool without pods', 'AIG462', /backend, backends or selector/, (p) => new InferencePool(p.chart, 'empty', {})],
  [
    'a pool over two namespaces',
    'AIG462',
    /one namespace/,
    (p) =>
      new InferencePool(p.chart, 'wide', {
        backends: [p.backend('a'), p.backend('b', new Chart(p.app, 'other', { namespace: 'other' }))],
      }),
  ],
  [
    'several ports in an old generation',
    'AIG463',
    /ApiGeneration\.V1/,
    (p) => new InferencePool(p.chart, 'old', { selector: { app: 'x' }, ports: [8000, 8001], generation: ApiGeneration.V1ALPHA2 }),
  ],
  ['a port out of range', 'AIG463', /1 to 65535/, (p) => new InferencePool(p.chart, 'x', { selector: { app: 'x' }, ports: [0] })],
  ['an old pool that no gateway uses', 'AIG464', /addModel/, (p) => p.pool('old', { generation: ApiGeneration.V1ALPHA1 })],
  [
    'a pool name that leaves no room',
    'AIG436',
    /at most 50 characters/,
    (p) => new InferencePool(p.chart, 'x'.repeat(51), { selector: { app: 'x' } }),
  ],
  [
    'a gateway name that leaves no room',
    'AIG436',
    /at most 40 characters/,
    (p) => p.gateway(kong(), { gatewayName: 'g'.repeat(41) }),
  ],
  [
    'old kinds with targets in two pools',
    'AIG480',
    /one pool/,
    (p) =>
      p.gateway(kong()).addModel('m', {
        targets: [
          { pool: p.pool('one', { generation: ApiGeneration.V1ALPHA1 }) },
          { pool: p.pool('two', { generation: ApiGeneration.V1ALPHA1 }) },
        ],
      }),
  ],
  [
    'a route of another namespace without a grant',
    'AIG481',
    /'ai → other'/,
    (p) =>
      p
        .gateway(kong(), { referenceGrants: false })
        .addRoute('ui', { pathPrefix: '/', serviceName: 'ui', servicePort: 80, serviceNamespace: 'other' }),
  ],
  [
    'more header classes than a route has rules',
    'AIG483',
    /17 rules; |got '17 rules'/,
    (p) => {
      const g = p.gateway(istio(), {
        attach: AttachMode.POOL,
        defaultModel: 'a',
        headerClasses: Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`c${i}`, 'b'])),
      });
      twoPools(p, g);
    },
  ],
  [
    'the path of the models',
    'AIG484',
    /the models have this path/,
    (p) => p.gateway(kong()).addRoute('x', { pathPrefix: '/v1', serviceName: 'x', servicePort: 80 }),
  ],
  [
    'a path with dots',
    'AIG484',
    /absolute path/,
    (p) => p.gateway(kong()).addRoute('x', { pathPrefix: '/a/../b', serviceName: 'x', servicePort: 80 }),
  ],
  ['too many retries', 'AIG485', /0 to 10/, (p) => p.gateway(kong(), { retries: 11 }).addModel('m', { pool: p.pool('one') })],
  [
    'a silence longer than an answer',
    'AIG486',
    /10 s and 20 s/,
    (p) =>
      p
        .gateway(kong(), { longestAnswer: Duration.seconds(10), longestSilence: Duration.seconds(20) })
        .addModel('m', { pool: p.pool('one') }),
  ],
  [
    'two gateways that want the picker of one pool',
    'AIG487',
    /pool 'one' has a picker already/,
    (p) => {
      const pool = p.pool('one');
      p.gateway(istio()).addModel('m', { pool });
      new AiGateway(p.chart, 'second', { implementation: istio() }).addModel('m', { pool });
    },
  ],
  [
    'picker settings of a pool in sidecar mode',
    'AIG488',
    /one picker serves all pools/,
    (p) => p.gateway(kong()).addModel('m', { pool: p.pool('one', { picker: { replicas: 3 } }) }),
  ],
  [
    'two listeners of one name',
    'AIG477',
    /same name/,
    (p) => p.gateway(kong(), { listeners: [GatewayListener.http(), GatewayListener.http({ port: 81 })] }),
  ],
  [
    'HTTP and HTTPS on one port',
    'AIG477',
    /same port/,
    (p) =>
      p.gateway(kong(), {
        listeners: [
          GatewayListener.http(),
          GatewayListener.https({ port: 80, certificate: ListenerCertificate.secret({ name: 'c' }) }),
        ],
      }),
  ],
  ['a redirect to nowhere', 'AIG477', /HTTPS/, (p) => p.gateway(kong(), { redirectHttpToHttps: true })],
  [
    'a proxy in an unknown namespace',
    'AIG475',
    /set the namespace of the chart/,
    (p) => {
      const chart = new Chart(p.app, 'bare');
      const pool = new InferencePool(chart, 'one', { selector: { app: 'x' } });
      new AiGateway(chart, 'gw2', { implementation: kong() }).addModel('m', { pool });
    },
  ],
  [
    'a model added after resolve',
    'AIG471',
    /before resolve/,
    (p) => {
      const g = p.gateway(kong());
      const pool = p.pool('one');
      g.addModel('m', { pool });
      g.resolve();
      g.addModel('n', { pool });
    },
  ],
  [
    'two objects of one name',
    'AIG437',
    /same kind and name/,
    (p) => {
      p.pool('one', { name: 'same' });
      p.pool('two', { name: 'same' });
    },
  ],
];

describe('what cannot be right is refused, with code, value, what is allowed and the construct', () => {
  test.each(REFUSALS)('%s: %s', (_title, code, says, run) => {
    const program = new GatewayProgram();
    const message = refusal(() => {
      run(program);
      program.synth();
    });
    expect(message).toContain(code);
    expect(message).toMatch(says);
  });

  test('a fallback pool whose engines have a name of their own cannot answer', () => {
    const program = new GatewayProgram();
    const fixed = Object.assign(program.backend('fixed'), { serveAs: () => 'own-name' });
    const fallbackPool = new InferencePool(program.chart, 'spare', { backend: fixed });
    const run = () => program.gateway(kong()).addModel('m', { pool: program.pool('one'), fallbackPool });
    expect(refusal(run)).toMatch(/AIG469 .*got 'own-name'; allowed: m/s);
  });

  test('an engine key in another namespace than the proxy cannot be mounted', () => {
    const program = new GatewayProgram();
    const other = new Chart(program.app, 'other', { namespace: 'other' });
    const pool = new InferencePool(other, 'one', {
      backends: [Object.assign(program.backend('keyed', other), { apiKey: { secretName: 's', key: 'k' } })],
    });
    program.gateway(kong()).addModel('m', { pool });
    expect(refusal(() => program.synth())).toMatch(/AIG479 .*'other and ai'/s);
  });

  test('an error carries its code and its construct as properties', () => {
    const program = new GatewayProgram();
    const { AiGatewayError } = jest.requireActual('../../../../src');
    try {
      new InferenceModel(program.chart, 'bad', { modelName: '' });
      throw new Error('not refused');
    } catch (error) {
      expect(AiGatewayError.isAiGatewayError(error)).toBe(true);
      expect(error).toMatchObject({ code: 'AIG465', constructPath: 'llm/bad' });
    }
  });
});

function twoPools(program: GatewayProgram, gateway: AiGateway): void {
  gateway.addModel('a', { pool: program.pool('one') });
  gateway.addModel('b', { pool: program.pool('two') });
}

function limited(program: GatewayProgram, limit: object, props: object = {}): void {
  const gateway = program.gateway(kong(), props);
  gateway.addModel('m', { pool: program.pool('one') });
  gateway.addTokenRateLimit('per-client', { ...LIMIT, ...limit });
}

const KEYS = { identity: ClientIdentity.apiKeys({ name: 'client-keys' }) };

function listed(program: GatewayProgram, modelAccess: ModelAccess, props: object = KEYS): void {
  program.gateway(kong(), { ...props, modelAccess }).addModel('m', { pool: program.pool('one') });
}
