import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { PickerPolicy, PolicyLimit } from '../../../picker-config/picker-policy';
import { formatPickerPolicy } from '../../../picker-config/picker-policy-format';
import type { EnginePlan } from '../plan/engine-plans';
import type { PickerPlan } from '../plan/picker-plans';

/** An engine that runs. */
export interface LoopbackEngine {
  readonly plan: EnginePlan;
  readonly port: number;
}

export function endpointsFile(folder: string, pool: string): string {
  return join(folder, `endpoints-${pool}.yaml`);
}

/** Replaces the file in one step, because a picker may be reading it. */
export function writeEndpoints(folder: string, pool: string, engines: readonly LoopbackEngine[]): void {
  const endpoints = engines.map(({ plan, port }) => ({
    name: plan.name,
    namespace: plan.namespace,
    address: '127.0.0.1',
    port: String(port),
    labels: plan.labels,
  }));
  const path = endpointsFile(folder, pool);
  writeFileSync(`${path}.next`, stringify({ endpoints }, { aliasDuplicateObjects: false }));
  renameSync(`${path}.next`, path);
}

/** What of a picker's configuration has no place on a laptop, and why; taken out of the policy. */
export function loopbackPolicy(
  { policy, name, apiKeys }: PickerPlan,
  folder: string,
  notice: (text: string) => void,
): PickerPolicy | undefined {
  if (policy === undefined) return undefined;
  const pools = policy.pools.map((pool) => ({
    ...pool,
    endpoints: { kind: 'file' as const, path: endpointsFile(folder, pool.name) },
  }));
  const { store, identity, ...rest } = { ...policy, pools, limits: policy.limits.map((limit) => ownLimit(limit, name, notice)) };
  if (store?.redis !== undefined) {
    notice(`picker ${name}: no shared store (${store.redis.address} is of the cluster), budgets are counted in its own memory`);
  }
  if (identity?.source === 'metadata' || identity?.source === 'jwt') {
    notice(`picker ${name}: section 'identity' is taken out: nothing on a laptop issues its ${identity.source}`);
    return withoutIdentity(rest, name, notice);
  }
  if (identity?.source === 'header') {
    notice(`picker ${name}: no gateway verifies clients here, so every request is client 'laptop' (${identity.clientHeader})`);
  }
  if (identity?.source !== 'apiKeys') return identity === undefined ? rest : { ...rest, identity };
  const directory = join(folder, 'api-keys');
  mkdirSync(directory, { mode: 0o700, recursive: true });
  for (const [client, key] of apiKeys ?? LAPTOP_KEYS) writeFileSync(join(directory, client), key, { mode: 0o600 });
  return { ...rest, identity: { ...identity, directory } };
}

/** A gateway that counts is of the cluster; the picker can do what it would. */
function ownLimit(limit: PolicyLimit, name: string, notice: (text: string) => void): PolicyLimit {
  if (limit.enforcedBy !== 'gateway') return limit;
  notice(`picker ${name}: limit '${limit.name}' is the gateway's in the cluster, and the picker enforces it here`);
  return { ...limit, enforcedBy: 'picker' };
}

/** Headers of a client whom the gateway has verified: on a laptop no gateway does, so the proxy says it of every request. */
export function verifiedHeaders(policies: readonly (PickerPolicy | undefined)[]): [name: string, value: string][] {
  const names = policies.flatMap((policy) => (policy?.identity?.source === 'header' ? [policy.identity.clientHeader] : []));
  return [...new Set(names)].map((name) => [name, 'laptop']);
}

/** Clients of a laptop where the manifests leave the Secret with the keys to others. */
export const LAPTOP_KEYS: ReadonlyMap<string, string> = new Map([
  ['laptop', 'sk-laptop-not-a-secret'],
  ['neighbour', 'sk-neighbour-not-a-secret'],
]);

/** Limits by client mean nothing without one, and a picker refuses them. */
export function withoutIdentity(policy: PickerPolicy, name: string, notice: (text: string) => void): PickerPolicy {
  const { identity: _identity, access, ...rest } = policy;
  if (access !== undefined) notice(`picker ${name}: section 'access' is taken out: it names clients`);
  const needsIdentity = ['client', 'tenant', 'claim', 'apiKey'];
  const dropped = rest.limits.filter(({ key }) => needsIdentity.includes(key.source));
  for (const limit of dropped) notice(`picker ${name}: limit '${limit.name}' is taken out: it counts by ${limit.key.source}`);
  const { priorities } = rest;
  const tenants = priorities?.tenants ?? [];
  if (tenants.length > 0) notice(`picker ${name}: the priorities of ${tenants.length} tenants are taken out: nobody is known`);
  return {
    ...rest,
    limits: rest.limits.filter((limit) => !dropped.includes(limit)),
    ...(priorities === undefined ? {} : { priorities: { ...priorities, tenants: [] } }),
  };
}

/** @returns path of the plugins */
export function writePlugins(folder: string, text: string): string {
  const path = join(folder, 'plugins.cjs');
  writeFileSync(path, text);
  return path;
}

/** @returns path of the policy */
export function writePolicy(folder: string, policy: PickerPolicy): string {
  const path = join(folder, 'policy.yaml');
  writeFileSync(path, formatPickerPolicy(policy));
  return path;
}

/**
 * Writes the EndpointPickerConfig as the manifests have it; a picker of one pool without a policy finds its endpoints by it.
 * @returns its path; undefined when there is none to write
 */
export function writeConfig(folder: string, { config, policy, pools }: PickerPlan): string | undefined {
  const discovers = policy === undefined || policy.pools.length === 0;
  if (config === undefined && !discovers) return undefined;
  const path = join(folder, 'config.yaml');
  writeFileSync(path, discovers ? withFileDiscovery(config, endpointsFile(folder, pools[0]!.name)) : config!);
  return path;
}

function withFileDiscovery(text: string | undefined, path: string): string {
  const config = (text === undefined ? {} : parse(text)) as { plugins?: object[]; dataLayer?: object };
  const name = 'loopback-endpoints';
  const plugin = { name, type: 'file-discovery', parameters: { path, watchFile: true } };
  return stringify({
    apiVersion: 'llm-d.ai/v1alpha1',
    kind: 'EndpointPickerConfig',
    ...config,
    plugins: [...(config.plugins ?? []), plugin],
    dataLayer: { ...config.dataLayer, discovery: { pluginRef: name } },
  });
}
