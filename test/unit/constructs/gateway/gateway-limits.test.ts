import { Duration } from 'cdk8s';
import { parse } from 'yaml';
import {
  AttachMode,
  ClientIdentity,
  GatewayImplementation,
  LimitEnforcement,
  RateLimitKey,
  StoreFailure,
  type TokenRateLimitOptions,
} from '../../../../src';
import { formatFinding, validateManifests } from '../../../../src/validation';
import type { Synthesized } from '../../../support/examples';
import { GatewayProgram, ofKind, only, refusal } from '../../../support/gateway-program';

const HOURLY: TokenRateLimitOptions = {
  tokens: 100_000,
  window: Duration.hours(1),
  key: RateLimitKey.everything(),
  enforcement: LimitEnforcement.GATEWAY,
};
const TRUSTED = RateLimitKey.trustedHeader('X-Team', { setBy: 'the load balancer' });
const KEYS = { identity: ClientIdentity.apiKeys({ name: 'client-keys' }) };

function limited(implementation: GatewayImplementation, limits: Record<string, object>, props: object = {}): Synthesized[] {
  const program = new GatewayProgram();
  const gateway = program.gateway(implementation, props);
  gateway.addModel('m', { pool: program.pool('one') });
  for (const [name, limit] of Object.entries(limits)) gateway.addTokenRateLimit(name, { ...HOURLY, ...limit });
  return program.synth();
}

const findings = (objects: readonly Synthesized[]): string[] =>
  validateManifests(
    objects.map((value) => ({ value })),
    { rules: 'all' },
  )
    .filter(({ code }) => code.startsWith('AIG3'))
    .map((finding) => `${finding.severity} ${formatFinding(finding)}`);

describe('Envoy Gateway', () => {
  const objects = limited(
    GatewayImplementation.envoyGateway(),
    {
      team: { key: RateLimitKey.client() },
      month: { tokens: 4_000_000_000, window: Duration.days(30), models: ['m'], outputWeight: 3 },
    },
    KEYS,
  );
  const policy = parse(ofKind(objects, 'ConfigMap')['one-picker-config'].data['policy.yaml']);

  test('counts by the header and by the metadata that the picker writes', () => {
    const rule = (name: string, requests: number, unit: string): object => ({
      clientSelectors: [{ headers: [{ name, type: 'Distinct' }] }],
      limit: { requests, unit },
      cost: {
        request: { from: 'Number', number: 0 },
        response: { from: 'Metadata', metadata: { namespace: 'envoy.lb', key: name } },
      },
      shared: true,
    });
    expect(only(objects, 'BackendTrafficPolicy').spec.rateLimit.global.rules).toEqual([
      rule('x-aig-limit-team', 100_000, 'Hour'),
      rule('x-aig-limit-month', 4_000_000_000, 'Month'),
    ]);
    expect(only(objects, 'EnvoyExtensionPolicy').spec.extProc[0].metadata.writableNamespaces).toEqual(['envoy.lb']);
  });

  test('the picker is told what to report, and keeps no books: it has two replicas and no store', () => {
    expect(policy.limits).toEqual([
      { name: 'team', unit: 'tokens', amount: 100_000, windowSeconds: 3_600, key: { source: 'client' }, enforcedBy: 'gateway' },
      {
        ...{ name: 'month', unit: 'tokens', amount: 4_000_000_000, windowSeconds: 2_592_000, key: { source: 'all' } },
        ...{ models: ['m'], weights: { output: 3 }, enforcedBy: 'gateway' },
      },
    ]);
    expect(policy.store).toBeUndefined();
    expect(ofKind(objects, 'Deployment')['one-picker'].spec.replicas).toBe(2);
  });

  test('the only thing to say of it is that it charges late', () => {
    const told = findings(objects);
    expect(told).toHaveLength(2);
    for (const line of told) expect(line).toMatch(/^hint .*AIG308 .*cost\.response is charged when an answer is over/);
  });

  test('beside limits of the picker, which alone ask for a store', () => {
    const both = limited(GatewayImplementation.envoyGateway(), { gateway: {}, picker: { enforcement: LimitEnforcement.PICKER } });
    const { limits, store } = parse(ofKind(both, 'ConfigMap')['one-picker-config'].data['policy.yaml']);
    expect(limits.map(({ name, enforcedBy }: { name: string; enforcedBy?: string }) => [name, enforcedBy])).toEqual([
      ['gateway', 'gateway'],
      ['picker', undefined],
    ]);
    expect(store).toEqual({ memory: { file: '/var/lib/picker/limits.snapshot' } });
    expect(ofKind(both, 'Deployment')['one-picker'].spec.replicas).toBe(1);
  });
});

describe('Kong', () => {
  const kong = (): GatewayImplementation => GatewayImplementation.kong({ aiProxyPlugin: 'chat-proxy' });

  test('has the plugin that counts on the route, behind the one that reads the tokens', () => {
    const objects = limited(kong(), { team: { key: TRUSTED, inputWeight: 0 } });
    const { metadata, plugin, config } = only(objects, 'KongPlugin');
    expect([plugin, config]).toEqual([
      'ai-rate-limiting-advanced',
      {
        llm_providers: [{ name: 'openai', limit: [100_000], window_size: [3_600] }],
        ...{ identifier: 'header', header_name: 'x-team' },
        ...{ tokens_count_strategy: 'completion_tokens', window_type: 'sliding', strategy: 'local' },
      },
    ]);
    const route = only(objects, 'HTTPRoute');
    expect(route.metadata.annotations['konghq.com/plugins']).toBe(`chat-proxy,${metadata.name}`);
    expect(findings(objects)).toEqual([expect.stringMatching(/^hint .*AIG308 .*every Kong counts for itself/)]);
  });

  test('one budget for everybody, of all tokens; the picker behind the proxy hears nothing of it', () => {
    const objects = limited(kong(), { all: {} });
    expect(only(objects, 'KongPlugin').config).toMatchObject({ identifier: 'service', tokens_count_strategy: 'total_tokens' });
    const { limits } = parse(ofKind(objects, 'ConfigMap')['gw-proxy-config'].data['policy.yaml']);
    expect(limits).toBeUndefined();
  });
});

describe('a limit that the gateway cannot enforce is refused, with the way out', () => {
  const eg = GatewayImplementation.envoyGateway;
  const kong = (): GatewayImplementation => GatewayImplementation.kong({ aiProxyPlugin: 'chat-proxy' });
  const cases: [title: string, code: string, reason: RegExp, program: () => unknown][] = [
    [
      'Istio',
      'AIG478',
      /no API for limits of tokens: .*leave enforcement out/,
      () => limited(GatewayImplementation.istio(), { a: {} }),
    ],
    [
      'a gateway that nobody knows',
      'AIG478',
      /nothing is known of limits of its own/,
      () => limited(GatewayImplementation.generic({ gatewayClassName: 'x' }), { a: {} }),
    ],
    ['Envoy Gateway before a proxy', 'AIG478', /extproc mode/, () => limited(eg(), { a: {} }, { attach: AttachMode.SIDECAR })],
    ['an odd window', 'AIG478', /got '90 s'; allowed: 1 second/, () => limited(eg(), { a: { window: Duration.seconds(90) } })],
    ['too many tokens', 'AIG478', /32 bits/, () => limited(eg(), { a: { tokens: 2 ** 32 } })],
    ['Kong without ai-proxy', 'AIG478', /aiProxyPlugin/, () => limited(GatewayImplementation.kong(), { a: {} })],
    ['Kong with two', 'AIG478', /on a route once/, () => limited(kong(), { a: {}, b: {} })],
    ['Kong by client', 'AIG478', /known behind it only/, () => limited(kong(), { a: { key: RateLimitKey.client() } }, KEYS)],
    ['Kong by model', 'AIG478', /knows no models/, () => limited(kong(), { a: { models: ['m'] } })],
    ['Kong with weights', 'AIG478', /output 3/, () => limited(kong(), { a: { outputWeight: 3 } })],
    ['cut answers', 'AIG493', /got 'clampAnswers'/, () => limited(eg(), { a: { clampAnswers: true } })],
    [
      'a store',
      'AIG493',
      /onStoreFailure, shadow/,
      () => limited(eg(), { a: { onStoreFailure: StoreFailure.OPEN, shadow: true } }),
    ],
  ];
  test.each(cases)('%s', (_, code, reason, program) => {
    const message = refusal(program);
    expect(message).toContain(`${code} `);
    expect(message).toMatch(reason);
  });
});
