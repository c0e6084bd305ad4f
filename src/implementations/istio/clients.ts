import type { GatewayPlan, JwtPlan, PlannedObject } from '../plan';

const API_VERSION = 'security.istio.io/v1';

interface GatewayTarget {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** The fields of Istio's RequestAuthentication that are emitted. */
export interface RequestAuthenticationSpec {
  readonly targetRefs: readonly GatewayTarget[];
  readonly jwtRules: readonly {
    readonly issuer: string;
    readonly audiences?: readonly string[];
    readonly jwksUri: string;
    readonly forwardOriginalToken: boolean;
    readonly outputClaimToHeaders: readonly { readonly claim: string; readonly header: string }[];
  }[];
}

/** The fields of Istio's AuthorizationPolicy that are emitted. */
export interface AuthorizationPolicySpec {
  readonly targetRefs: readonly GatewayTarget[];
  readonly action: 'DENY';
  readonly rules: readonly {
    readonly from: readonly { readonly source: { readonly notRequestPrincipals: readonly string[] } }[];
    readonly to: readonly { readonly operation: { readonly paths: readonly string[] } }[];
  }[];
}

function target(plan: GatewayPlan): GatewayTarget {
  return { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: plan.gatewayName };
}

/**
 * Verifies tokens, and tells the picker who the client is. Its filter overwrites or removes what a client says of itself in the same
 * headers. A request without a token passes it, which the AuthorizationPolicy is for.
 */
export function requestAuthentication(plan: GatewayPlan, jwt: JwtPlan): PlannedObject {
  const { issuer, audiences, jwksUri, claimHeaders } = jwt;
  const spec: RequestAuthenticationSpec = {
    targetRefs: [target(plan)],
    jwtRules: [
      {
        issuer,
        ...(audiences.length === 0 ? {} : { audiences }),
        jwksUri,
        forwardOriginalToken: false,
        outputClaimToHeaders: claimHeaders,
      },
    ],
  };
  return {
    id: 'RequestAuthentication',
    apiVersion: API_VERSION,
    kind: 'RequestAuthentication',
    name: `${plan.gatewayName}-clients`,
    namespace: plan.gatewayNamespace,
    body: { spec },
    why: 'verifies the tokens of clients, and tells the picker who they are',
  };
}

/** Denies the models to requests without a token; the other paths of the Gateway stay open. */
export function authorizationPolicy(plan: GatewayPlan, { pathPrefix }: JwtPlan): PlannedObject {
  const prefix = pathPrefix.replace(/\/+$/, '');
  const spec: AuthorizationPolicySpec = {
    targetRefs: [target(plan)],
    action: 'DENY',
    rules: [
      {
        from: [{ source: { notRequestPrincipals: ['*'] } }],
        to: [{ operation: { paths: prefix === '' ? ['/*'] : [prefix, `${prefix}/*`] } }],
      },
    ],
  };
  return {
    id: 'AuthorizationPolicy',
    apiVersion: API_VERSION,
    kind: 'AuthorizationPolicy',
    name: `${plan.gatewayName}-clients`,
    namespace: plan.gatewayNamespace,
    body: { spec },
    why: 'lets nobody to the models without a token',
  };
}
