import type {
  PickerPolicy,
  PolicyAccess,
  PolicyIdentity,
  PolicyLimit,
  PolicyModel,
  PolicyPool,
  PolicyStickiness,
  PolicyStore,
} from '../../picker-config/picker-policy';
import {
  DEFAULT_CLIENT_HEADER,
  DEFAULT_CLOCK_SKEW_SECONDS,
  DEFAULT_REDIS,
  DEFAULT_TENANT_HEADER,
} from '../../picker-config/picker-policy';
import type { IInferenceModel } from '../inference-model';
import type { IInferencePool } from '../inference-pool';
import type { PickerLimit } from '../picker-limit';
import type { ClientIdentity } from '../values/client-identity';
import type { FlowControlOptions } from '../values/flow-control';
import type { Stickiness } from '../values/stickiness';
import type { TokenStore } from '../values/token-store';
import { claimKey, isGatewayLimit } from './limit-checks';
import { prioritiesPolicy } from './priorities';

/** Folder of the API keys in the picker's container, one file a client. */
export const API_KEYS_FOLDER = '/etc/picker-api-keys';
/** Folder of the issuer's keys. */
export const KEY_SET_FOLDER = '/etc/picker-jwks';
/** Folder of the store's password. */
export const STORE_FOLDER = '/etc/picker-store';
/** Folder of the authorities of the store's certificate. */
export const STORE_CA_FOLDER = '/etc/picker-store-ca';
/** Folder of the certificate that the picker shows the store. */
export const STORE_CERTIFICATE_FOLDER = '/etc/picker-store-certificate';
/** Folder where a picker without a shared store keeps its counters. */
export const STATE_FOLDER = '/var/lib/picker';

/** What the policy of one picker is made from. */
export interface PolicyInput {
  readonly pools: readonly IInferencePool[];
  readonly models: readonly IInferenceModel[];
  readonly limits: readonly PickerLimit[];
  readonly classHeader: string;
  readonly headerClasses: { readonly [value: string]: string };
  readonly defaultModel: string | undefined;
  readonly identity: ClientIdentity | undefined;
  readonly access: PolicyAccess | undefined;
  readonly flowControl: FlowControlOptions | undefined;
  readonly store: TokenStore | undefined;
  /** Unique among the gateways that may share a store: limits of the same name are not the same. */
  readonly storeScope: string;
}

/** The picker's policy: everything that was said of models, clients and budgets. */
export function pickerPolicy(input: PolicyInput): PickerPolicy {
  const classes =
    Object.keys(input.headerClasses).length === 0 ? undefined : { header: input.classHeader, values: input.headerClasses };
  const store = storePolicy(input);
  return {
    pools: input.pools.map(poolPolicy),
    models: input.models.map(modelPolicy),
    ...(input.defaultModel === undefined ? {} : { defaultModel: input.defaultModel }),
    ...(classes === undefined ? {} : { classes }),
    ...(input.identity === undefined ? {} : { identity: identityPolicy(input.identity) }),
    ...(input.access === undefined ? {} : { access: input.access }),
    limits: input.limits.map((limit) => limitPolicy(limit, input.identity)),
    ...(store === undefined ? {} : { store }),
    ...prioritiesPolicy(input.models, input.flowControl),
  };
}

function poolPolicy(pool: IInferencePool): PolicyPool {
  const namespace = pool.namespace === undefined ? {} : { namespace: pool.namespace };
  return {
    name: pool.poolName,
    endpoints: pool.hasObject
      ? { kind: 'inferencePool', name: pool.poolName, group: pool.generation.poolGroup, ...namespace }
      : { kind: 'selector', matchLabels: pool.podLabels, ports: pool.ports, ...namespace },
  };
}

function modelPolicy(model: IInferenceModel): PolicyModel {
  return {
    name: model.modelName,
    aliases: model.aliases,
    targets: model.targets.map(({ pool, servedName, weight }) => ({
      pool: pool.poolName,
      ...(servedName === model.modelName ? {} : { model: servedName }),
      ...(weight === undefined ? {} : { weight }),
    })),
    priority: model.criticality.value,
    adapters: model.adapters.map((name) => ({ name })),
    ...(model.fallbackPool === undefined ? {} : { fallbackPool: model.fallbackPool.poolName }),
    ...(model.stickiness === undefined ? {} : { stickiness: stickinessPolicy(model.stickiness) }),
  };
}

function stickinessPolicy({ source, header }: Stickiness): PolicyStickiness {
  return { source, ...(header === undefined ? {} : { name: header }) };
}

/** A JWT is verified by the gateway or by the proxy beside the picker, which tell the picker the result in headers, or by itself. */
function identityPolicy({ kind, jwtOptions }: ClientIdentity): PolicyIdentity {
  if (kind === 'apiKeys') return { source: 'apiKeys', directory: API_KEYS_FOLDER, header: 'authorization' };
  const { keySet, issuer, audiences = [], clientClaim = 'sub', tenantClaim } = jwtOptions!;
  if (keySet === undefined) {
    const headers = { clientHeader: DEFAULT_CLIENT_HEADER, tenantHeader: DEFAULT_TENANT_HEADER };
    // Envoy Gateway has no field that keeps the token from the engine
    return { source: 'header', ...headers, removeHeaders: ['authorization'] };
  }
  return {
    source: 'jwt',
    issuer,
    audiences,
    jwksFile: `${KEY_SET_FOLDER}/${keySet.key}`,
    clientClaim,
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    clockSkewSeconds: DEFAULT_CLOCK_SKEW_SECONDS,
  };
}

function limitPolicy(limit: PickerLimit, identity: ClientIdentity | undefined): PolicyLimit {
  const claim = limit.key.source === 'claim' ? claimKey(limit, identity) : undefined;
  return {
    name: limit.limitName,
    ...limit._counts(),
    key:
      claim === undefined
        ? { source: limit.key.source, ...(limit.key.name === undefined ? {} : { name: limit.key.name }) }
        : { source: claim },
    ...(limit.models === undefined ? {} : { models: limit.models }),
    shadow: limit.shadow,
    onStoreFailure: limit.onStoreFailure.name,
  };
}

function storePolicy({ store, storeScope, limits }: PolicyInput): PolicyStore | undefined {
  const options = store?.redisOptions;
  if (options === undefined)
    return limits.every(isGatewayLimit) ? undefined : { memory: { file: `${STATE_FOLDER}/limits.snapshot` } };
  return {
    redis: {
      ...DEFAULT_REDIS,
      keyPrefix: `${DEFAULT_REDIS.keyPrefix}${storeScope}:`,
      address: `${options.host}:${options.port ?? 6379}`,
      tls: options.tls ?? DEFAULT_REDIS.tls,
      ...(options.caCertificate === undefined ? {} : { caFile: `${STORE_CA_FOLDER}/${options.caCertificate.key}` }),
      ...(options.clientCertificate === undefined
        ? {}
        : { certFile: `${STORE_CERTIFICATE_FOLDER}/tls.crt`, keyFile: `${STORE_CERTIFICATE_FOLDER}/tls.key` }),
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { passwordFile: `${STORE_FOLDER}/${options.password.key}` }),
    },
  };
}
