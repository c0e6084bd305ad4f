import { AttachMode } from '../../implementations/attach-mode';
import type { JwtPlan } from '../../implementations/plan';
import { DEFAULT_CLIENT_HEADER, DEFAULT_TENANT_HEADER } from '../../picker-config/picker-policy';
import { refuse } from '../internal/errors';
import type { JwtIdentityOptions } from '../values/client-identity';
import type { GatewayState } from './gateway-state';

/** Who verifies the tokens of clients: the proxy of sidecar mode, the gateway's own policy, or the picker where it has the issuer's keys. */
export type TokenVerifier = 'proxy' | 'gateway' | 'picker';

/** Undefined where clients have no tokens. @throws AIG499 where nothing would verify one */
export function tokenVerifier(
  { construct, options, adapter, ownsGateway }: GatewayState,
  mode: AttachMode,
): TokenVerifier | undefined {
  const jwt = options.identity?.jwtOptions;
  if (jwt === undefined) return undefined;
  if (jwt.keySet !== undefined) return 'picker';
  if (mode === AttachMode.SIDECAR) return 'proxy';
  const { features } = adapter.capabilities;
  const lacking = [features.jwt, ...(ownsGateway ? [] : [features['jwt-on-shared-gateway']])].find(({ supported }) => !supported);
  if (lacking === undefined) return 'gateway';
  return refuse(construct, {
    code: 'AIG499',
    what: `in ${mode.name} mode nothing verifies the client's token: ${lacking.note}`,
    value: jwt.issuer,
    fix: 'give keySet to ClientIdentity.jwt, so that the picker verifies it, set attach to AttachMode.SIDECAR, or use ClientIdentity.apiKeys',
  });
}

/** What whoever verifies tokens before the picker is asked needs to know. */
export function jwtPlan(options: JwtIdentityOptions, pathPrefix: string): JwtPlan {
  const tenant = options.tenantClaim === undefined ? [] : [{ claim: options.tenantClaim, header: DEFAULT_TENANT_HEADER }];
  return {
    issuer: options.issuer,
    audiences: options.audiences ?? [],
    jwksUri: options.jwksUri ?? `${options.issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
    claimHeaders: [{ claim: options.clientClaim ?? 'sub', header: DEFAULT_CLIENT_HEADER }, ...tenant],
    pathPrefix,
  };
}
