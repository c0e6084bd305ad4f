import type { NameRule } from '../names';
import { builtInKind } from './built-in-kinds';
import { groupVersionKinds, linkDefinitions } from './openapi';
import { type CrdSchema, type CrdVersion, pinnedSchemas } from './packed';
import { asResource } from './resource-schema';
import type { SchemaNode } from './schema-node';

/** Everything that validation knows of one kind in one version. */
export interface KindSchema {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly nameRule: NameRule;
  readonly isBuiltIn: boolean;
  /** Dropped before validation on create: only controllers write it. */
  readonly hasStatusSubresource: boolean;
  /** Project and version, for messages. */
  readonly source: string;
  readonly schema: SchemaNode;
}

export interface RegistryOptions {
  /** Which release of HTTPRoute: the experimental channel has `retry`, `sessionPersistence` and others. @default 'standard' */
  readonly gatewayApiChannel?: 'standard' | 'experimental';
  /** Minor version whose built-in kinds apply. @default the newest known */
  readonly kubernetesVersion?: string;
}

export type Lookup =
  | { readonly found: KindSchema }
  /** The kind is known, but not in this version. */
  | { readonly servedVersions: readonly string[] }
  /** Nothing is known of the kind; `similarKinds` are the known kinds of its group that differ in case only. */
  | { readonly similarKinds: readonly string[] };

/** Kinds and versions that validation knows; schemas are linked on first use. */
export class SchemaRegistry {
  private static readonly shared = new Map<string, SchemaRegistry>();

  /** One registry for each set of options, so that what it compiled is kept. */
  public static of(options: RegistryOptions = {}): SchemaRegistry {
    const channel = options.gatewayApiChannel ?? 'standard';
    const kubernetesVersion = options.kubernetesVersion ?? newestKubernetesVersion();
    const key = `${channel} ${kubernetesVersion}`;
    let registry = SchemaRegistry.shared.get(key);
    if (registry === undefined) SchemaRegistry.shared.set(key, (registry = new SchemaRegistry(channel, kubernetesVersion)));
    return registry;
  }

  private readonly kinds = new Map<string, KindSchema>();
  private readonly kindNames = new Map<string, Set<string>>();
  private readonly versions = new Map<string, string[]>();

  private constructor(channel: 'standard' | 'experimental', kubernetesVersion: string) {
    const { crds, kubernetes } = pinnedSchemas();
    if (!Object.hasOwn(kubernetes, kubernetesVersion)) {
      throw new RangeError(`no schemas of Kubernetes ${kubernetesVersion}; known: ${kubernetesVersions().join(', ')}`);
    }
    const definitions = kubernetes[kubernetesVersion]!();
    const link = linkDefinitions(definitions);
    for (const [name, definition] of Object.entries(definitions)) {
      for (const { group, version, kind } of groupVersionKinds(definition)) {
        this.add({
          ...builtInFacts(group, kind),
          ...{ group, version, kind, isBuiltIn: true, hasStatusSubresource: false },
          source: `Kubernetes ${kubernetesVersion}`,
          get schema() {
            return link(name);
          },
        });
      }
    }
    const hasExperimental = (crd: CrdSchema) =>
      crds.some((other) => other.channel === 'experimental' && other.group === crd.group && other.kind === crd.kind);
    for (const crd of crds) {
      if (crd.channel === 'experimental' && channel === 'standard') continue;
      if (crd.channel === 'standard' && channel === 'experimental' && hasExperimental(crd)) continue;
      for (const version of crd.versions) if (version.served) this.addCustom(crd, version, link);
    }
  }

  public lookUp(apiVersion: string, kind: string): Lookup {
    const { group, version } = splitApiVersion(apiVersion);
    const found = this.kinds.get(`${group}/${version}/${kind}`);
    if (found !== undefined) return { found };
    const servedVersions = this.versions.get(`${group}/${kind}`);
    if (servedVersions !== undefined) return { servedVersions };
    const names = [...(this.kindNames.get(group) ?? [])];
    return { similarKinds: names.filter((name) => name.toLowerCase() === kind.toLowerCase()) };
  }

  public all(): readonly KindSchema[] {
    return [...this.kinds.values()];
  }

  private addCustom(crd: CrdSchema, version: CrdVersion, link: (name: string) => SchemaNode): void {
    let schema: SchemaNode | undefined; // made on first use: a run sees few of the kinds
    this.add({
      ...{ group: crd.group, version: version.name, kind: crd.kind, scope: crd.scope },
      ...{ nameRule: 'dns-subdomain', isBuiltIn: false, hasStatusSubresource: version.hasStatusSubresource, source: crd.source },
      get schema() {
        schema ??= asResource(version.schema(), link('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'));
        return schema;
      },
    });
  }

  private add(kind: KindSchema): void {
    const groupKind = `${kind.group}/${kind.kind}`;
    this.kinds.set(`${kind.group}/${kind.version}/${kind.kind}`, kind);
    this.versions.set(groupKind, [...(this.versions.get(groupKind) ?? []), kind.version]);
    this.kindNames.set(kind.group, (this.kindNames.get(kind.group) ?? new Set()).add(kind.kind));
  }
}

export function kubernetesVersions(): readonly string[] {
  return Object.keys(pinnedSchemas().kubernetes);
}

export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash === -1
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

function newestKubernetesVersion(): string {
  return [...kubernetesVersions()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)!;
}

function builtInFacts(group: string, kind: string): { scope: 'Namespaced' | 'Cluster'; nameRule: NameRule } {
  const { scope, name } = builtInKind(group, kind);
  return { scope, nameRule: name };
}
