import type { IConstruct } from 'constructs';
import { AttachMode } from '../../implementations/attach-mode';
import { warn } from '../internal/emit';
import { refuse } from '../internal/errors';
import type { PickerLimit } from '../picker-limit';
import type { ClientIdentity } from '../values/client-identity';
import type { TokenStore } from '../values/token-store';

/** What the checks of limits look at. */
export interface LimitCheckInput {
  readonly limits: readonly PickerLimit[];
  readonly identity: ClientIdentity | undefined;
  readonly store: TokenStore | undefined;
  readonly mode: AttachMode;
  readonly poolCount: number;
  /** As the user set them. */
  readonly replicas: number | undefined;
  readonly modelNames: ReadonlySet<string>;
  readonly isLlmd: boolean;
}

/**
 * Refuses limits that would count something else than they say, and gives the number of picker replicas.
 *
 * @throws AIG495 to AIG498
 */
export function checkLimits(scope: IConstruct, input: LimitCheckInput): number {
  for (const limit of input.limits) {
    checkKey(limit, input.identity);
    checkModels(limit, input.modelNames);
  }
  if (input.limits.length === 0) return input.replicas ?? 2;
  if (input.isLlmd) {
    refuse(scope, {
      code: 'AIG497',
      what: 'the llm-d picker enforces no limits',
      value: input.limits.map(({ limitName }) => limitName),
      fix: 'use the picker of this project, or leave the limits out',
    });
  }
  if (input.limits.every(isGatewayLimit)) return input.replicas ?? 2;
  if (input.store?.redisOptions !== undefined) return input.replicas ?? 2;
  if (input.mode !== AttachMode.SIDECAR && input.poolCount > 1) {
    refuse(scope, {
      code: 'AIG495',
      what: 'each pool has a picker of its own here, and without a shared store each of them would grant the whole limit',
      value: `${input.poolCount} pools`,
      fix: 'set tokenStore to TokenStore.redis(…), or attach in sidecar mode',
    });
  }
  if (input.replicas !== undefined && input.replicas > 1) {
    refuse(scope, {
      code: 'AIG495',
      what: 'without a shared store each replica of the picker would grant the whole limit',
      value: `${input.replicas} replicas`,
      allowed: '1 replica, or TokenStore.redis(…)',
      fix: 'set tokenStore, or leave replicas out',
    });
  }
  if (input.replicas === undefined) {
    warn(
      scope,
      'one picker replica instead of two, because limits are counted in its memory: set tokenStore to TokenStore.redis(…) for more',
    );
  }
  return 1;
}

/** Whether the gateway counts, and not the picker. */
export function isGatewayLimit(limit: PickerLimit): boolean {
  return limit._counts().enforcedBy === 'gateway';
}

function checkKey(limit: PickerLimit, identity: ClientIdentity | undefined): void {
  const { source } = limit.key;
  const waysOut =
    'set identity on the gateway (ClientIdentity.apiKeys or .jwt), use RateLimitKey.trustedHeader(name, { setBy }) for a header that something in front sets, or RateLimitKey.everything()';
  if (limit.key.needsIdentity && identity === undefined) {
    refuse(limit, {
      code: 'AIG496',
      what: 'the limit is per client, and the gateway knows none: a client could choose its own budget',
      fix: waysOut,
    });
  }
  const needs = source === 'apiKey' ? 'apiKeys' : source === 'claim' ? 'jwt' : undefined;
  if (needs !== undefined && identity?.kind !== needs) {
    refuse(limit, {
      code: 'AIG496',
      what: `a limit per ${source} needs ClientIdentity.${needs}`,
      value: identity?.kind,
      fix: `set identity to ClientIdentity.${needs}(…), or use RateLimitKey.client()`,
    });
  }
  if (source === 'claim' && claimKey(limit, identity) === undefined) {
    const { clientClaim = 'sub', tenantClaim } = identity?.jwtOptions ?? {};
    refuse(limit, {
      code: 'AIG496',
      what: 'the limit is per a claim that the identity does not take from the token',
      value: limit.key.name,
      allowed: tenantClaim === undefined ? clientClaim : `${clientClaim}, ${tenantClaim}`,
      fix: 'name the claim as clientClaim or tenantClaim of ClientIdentity.jwt',
    });
  }
  if (source === 'tenant' && identity?.jwtOptions?.tenantClaim === undefined) {
    refuse(limit, {
      code: 'AIG496',
      what: 'a limit per tenant needs an identity that names tenants',
      fix: 'set tenantClaim of ClientIdentity.jwt, or use RateLimitKey.client()',
    });
  }
}

/** A claim reaches the picker as the client or as the tenant. */
export function claimKey(limit: PickerLimit, identity: ClientIdentity | undefined): 'client' | 'tenant' | undefined {
  const { clientClaim = 'sub', tenantClaim } = identity?.jwtOptions ?? {};
  return limit.key.name === clientClaim ? 'client' : limit.key.name === tenantClaim ? 'tenant' : undefined;
}

function checkModels(limit: PickerLimit, known: ReadonlySet<string>): void {
  const unknown = limit.models?.find((model) => !known.has(model));
  if (unknown === undefined) return;
  refuse(limit, {
    code: 'AIG498',
    what: 'the limit names a model that the gateway does not have',
    value: unknown,
    allowed: [...known].join(', '),
    fix: 'add the model, or change the name',
  });
}
