import { Duration } from 'cdk8s';
import { ClientIdentity, GatewayImplementation, LimitEnforcement, RateLimitKey } from '../../src';
import type { JsonObject } from '../../src/validation/schema/schema-node';
import { describeWith } from '../components/describe-with';
import type { Synthesized } from '../support/examples';
import { GatewayProgram } from '../support/gateway-program';
import { envoyGatewayCluster, translateWithEnvoyGateway } from './egctl';
import { expectValid } from './schemas';

const LIMIT = { tokens: 1_000, enforcement: LimitEnforcement.GATEWAY };

function withLimit(implementation: GatewayImplementation, limits: readonly object[]): Synthesized[] {
  const program = new GatewayProgram();
  const gateway = program.gateway(implementation, { identity: ClientIdentity.apiKeys({ name: 'client-keys' }) });
  gateway.addModel('m', { pool: program.pool('one') });
  const base = { ...LIMIT, window: Duration.hours(1), key: RateLimitKey.everything() };
  limits.forEach((limit, index) => {
    gateway.addTokenRateLimit(`limit-${index}`, { ...base, ...limit });
  });
  return program.synth();
}

const WINDOWS = [1, 60, 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400];
const onEnvoyGateway = (): Synthesized[] =>
  withLimit(GatewayImplementation.envoyGateway(), [
    ...WINDOWS.map((seconds) => ({ window: Duration.seconds(seconds) })),
    { tokens: 2 ** 32 - 1, key: RateLimitKey.client() },
  ]);

test('limits of Envoy Gateway pass their schema', () => {
  expectValid(onEnvoyGateway());
});

test('limits of Kong pass their schema', () => {
  const key = RateLimitKey.trustedHeader('x-team', { setBy: 'the load balancer' });
  expectValid(withLimit(GatewayImplementation.kong({ aiProxyPlugin: 'chat-proxy' }), [{ key }]));
});

describeWith(['egctl'], 'Envoy Gateway', ({ egctl }) => {
  test('programs a limit for every window', () => {
    const { complaints, xds } = translateWithEnvoyGateway(egctl, [
      ...onEnvoyGateway(),
      ...envoyGatewayCluster('ai'),
    ] as JsonObject[]);
    expect(complaints).toEqual([]);
    const routes = JSON.stringify(xds);
    for (let index = 0; index <= WINDOWS.length; index++) {
      expect(routes).toContain(`%DYNAMIC_METADATA(envoy.lb:x-aig-limit-limit-${index})%`);
    }
  });
});
