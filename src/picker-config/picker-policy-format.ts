import { stringify } from 'yaml';
import {
  DEFAULT_BAND,
  DEFAULT_CLIENT_HEADER,
  DEFAULT_CLOCK_SKEW_SECONDS,
  DEFAULT_POOL_GROUP,
  DEFAULT_PRIORITIES,
  DEFAULT_REDIS,
  DEFAULT_TENANT_HEADER,
  defaultCeiling,
  type PickerPolicy,
  POLICY_API_VERSION,
  POLICY_KIND,
  type PolicyAccess,
  type PolicyBand,
  type PolicyIdentity,
  type PolicyLimit,
  type PolicyModel,
  type PolicyPool,
  type PolicyPriorities,
  type PolicyStore,
  type RedisStore,
} from './picker-policy';
import { formatQuantity } from './units';

/** YAML that parses back to the same policy: keys in a fixed order, values that equal their default left out. */
export function formatPickerPolicy(policy: PickerPolicy): string {
  return stringify(
    {
      apiVersion: POLICY_API_VERSION,
      kind: POLICY_KIND,
      ...listed('pools', policy.pools.map(poolKeys)),
      ...listed('models', policy.models.map(modelKeys)),
      defaultModel: policy.defaultModel,
      classes:
        policy.classes === undefined ? undefined : { header: policy.classes.header, values: sorted(policy.classes.values) },
      identity: policy.identity === undefined ? undefined : identityKeys(policy.identity),
      access: policy.access === undefined ? undefined : accessKeys(policy.access),
      ...listed('limits', policy.limits.map(limitKeys)),
      store: storeKeys(policy.store),
      priorities: policy.priorities === undefined ? undefined : prioritiesKeys(policy.priorities),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function poolKeys({ name, endpoints, fallbackPool }: PolicyPool): unknown {
  const { kind, ...rest } = endpoints;
  if (endpoints.kind === 'inferencePool') {
    const { name: pool, namespace, group } = endpoints;
    return { name, endpoints: { [kind]: { name: pool, namespace, group: unless(DEFAULT_POOL_GROUP, group) } }, fallbackPool };
  }
  if (endpoints.kind === 'selector') {
    const { matchLabels, ports, namespace } = endpoints;
    return { name, endpoints: { [kind]: { matchLabels: sorted(matchLabels), ports, namespace } }, fallbackPool };
  }
  return { name, endpoints: { [kind]: rest }, fallbackPool };
}

function modelKeys({ name, aliases, targets, priority, adapters, fallbackPool, stickiness }: PolicyModel): unknown {
  return {
    name,
    ...listed('aliases', aliases),
    targets: targets.map((target) => ({ pool: target.pool, model: target.model, weight: target.weight })),
    priority: unless(0, priority),
    ...listed(
      'adapters',
      adapters.map((adapter) => ({ name: adapter.name, model: adapter.model })),
    ),
    fallbackPool,
    stickiness: stickiness === undefined ? undefined : { source: stickiness.source, name: stickiness.name },
  };
}

function identityKeys(identity: PolicyIdentity): unknown {
  switch (identity.source) {
    case 'header':
      return {
        source: 'header',
        clientHeader: unless(DEFAULT_CLIENT_HEADER, identity.clientHeader),
        tenantHeader: unless(DEFAULT_TENANT_HEADER, identity.tenantHeader),
        ...listed('removeHeaders', identity.removeHeaders),
      };
    case 'metadata':
      return { source: 'metadata', namespace: identity.namespace, clientKey: identity.clientKey, tenantKey: identity.tenantKey };
    case 'apiKeys':
      return { source: 'apiKeys', directory: identity.directory, header: unless('authorization', identity.header) };
    case 'jwt':
      return {
        source: 'jwt',
        issuer: identity.issuer,
        audiences: identity.audiences,
        jwksFile: identity.jwksFile,
        clientClaim: unless('sub', identity.clientClaim),
        tenantClaim: identity.tenantClaim,
        clockSkewSeconds: unless(DEFAULT_CLOCK_SKEW_SECONDS, identity.clockSkewSeconds),
      };
  }
}

function accessKeys({ clients, tenants, others }: PolicyAccess): unknown {
  const lists = (of: PolicyAccess['clients']): unknown => (Object.keys(of).length === 0 ? undefined : sorted(of));
  return { clients: lists(clients), tenants: lists(tenants), ...listed('others', others) };
}

function limitKeys(limit: PolicyLimit): unknown {
  const { input, output, cached } = limit.weights;
  const plain = input === 1 && output === 1 && cached === 1;
  return {
    name: limit.name,
    unit: limit.unit,
    amount: limit.amount,
    windowSeconds: limit.windowSeconds,
    calendarWindow: limit.calendarWindow,
    key: { source: limit.key.source, name: limit.key.name },
    models: limit.models,
    weights: plain ? undefined : { input: unless(1, input), output: unless(1, output), cached: unless(input, cached) },
    clamp: unless(false, limit.clamp),
    shadow: unless(false, limit.shadow),
    onStoreFailure: unless('closed', limit.onStoreFailure),
    enforcedBy: unless('picker', limit.enforcedBy),
  };
}

function storeKeys(store: PolicyStore | undefined): unknown {
  if (store === undefined) return undefined;
  const { redis, memory } = store;
  return { redis: redis && redisKeys(redis), memory: memory && { file: memory.file } };
}

function redisKeys(redis: RedisStore): unknown {
  return {
    address: redis.address,
    tls: unless(DEFAULT_REDIS.tls, redis.tls),
    caFile: redis.caFile,
    certFile: redis.certFile,
    keyFile: redis.keyFile,
    username: redis.username,
    passwordFile: redis.passwordFile,
    database: unless(DEFAULT_REDIS.database, redis.database),
    timeoutMs: unless(DEFAULT_REDIS.timeoutMs, redis.timeoutMs),
    keyPrefix: unless(DEFAULT_REDIS.keyPrefix, redis.keyPrefix),
  };
}

function prioritiesKeys(priorities: PolicyPriorities): unknown {
  const { maxRequests, maxBytes, waitingRoom, saturation } = DEFAULT_PRIORITIES;
  const keys = {
    ...listed('bands', priorities.bands.map(bandKeys)),
    ...listed(
      'tenants',
      priorities.tenants.map(({ name, priority }) => ({ name, priority })),
    ),
    ...amount('maxRequests', maxRequests, priorities.maxRequests),
    ...amount('maxBytes', maxBytes, priorities.maxBytes),
    ...section('waitingRoom', {
      ...amount('maxRequests', waitingRoom.maxRequests, priorities.waitingRoom.maxRequests),
      ...changed('queueSeconds', waitingRoom.queueSeconds, priorities.waitingRoom.queueSeconds),
    }),
    ...section('saturation', {
      ...changed('queueDepth', saturation.queueDepth, priorities.saturation.queueDepth),
      ...changed('kvCacheUsage', saturation.kvCacheUsage, priorities.saturation.kvCacheUsage),
    }),
    evicts: unless('queued', priorities.evicts),
  };
  return keys;
}

function bandKeys(band: PolicyBand): unknown {
  return {
    name: band.name,
    priority: band.priority,
    ...amount('maxRequests', DEFAULT_BAND.maxRequests, band.maxRequests),
    ...amount('maxBytes', DEFAULT_BAND.maxBytes, band.maxBytes),
    ...changed('queueSeconds', DEFAULT_BAND.queueSeconds, band.queueSeconds),
    ...changed<string>('fairness', DEFAULT_BAND.fairness, band.fairness),
    ...changed<string>('ordering', DEFAULT_BAND.ordering, band.ordering),
    ...changed('ceiling', defaultCeiling(band.priority), band.ceiling),
  };
}

function changed<T>(key: string, byDefault: T, value: T): Record<string, T> {
  return value === byDefault ? {} : { [key]: value };
}

function amount(key: string, byDefault: number, value: number): Record<string, string | number> {
  return value === byDefault ? {} : { [key]: formatQuantity(value) };
}

function section(key: string, keys: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(keys).length === 0 ? {} : { [key]: keys };
}

/** The value, or undefined (which the YAML leaves out) when it is the default. */
function unless<T>(byDefault: T, value: T): T | undefined {
  return value === byDefault ? undefined : value;
}

function listed<T>(key: string, values: readonly T[]): Record<string, readonly T[]> {
  return values.length === 0 ? {} : { [key]: values };
}

function sorted<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
