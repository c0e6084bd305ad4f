import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { isJsonObject, type JsonObject } from '../../src/validation/schema/schema-node';

/** What Envoy Gateway made of the manifests. */
export interface Translation {
  /** Empty when all is well: what egctl refused, and every condition that is `False`, with its object and message. */
  readonly complaints: readonly string[];
  /** `<namespace>/<gateway>` → the xDS resources that its Envoy would get (dump of type Bootstrap, Endpoints, Clusters, Listeners, Routes). */
  readonly xds: Readonly<Record<string, JsonObject>>;
  /** The Gateway API objects with their status, by `gateways`, `httpRoutes`, `securityPolicies`, … */
  readonly resources: Readonly<Record<string, readonly JsonObject[]>>;
}

/** Groups whose kinds are in egctl's scheme; it refuses a whole file for one kind that is not. */
const KNOWN_GROUPS = /^(?:v1|apps\/v1|gateway\.networking\.k8s\.io\/.*|gateway\.envoyproxy\.io\/.*|discovery\.k8s\.io\/v1)$/;
// Built-in kinds that it accepts and ignores would only slow it down.
const IGNORED_KINDS = new Set(['Deployment', 'StatefulSet', 'ServiceAccount', 'PersistentVolumeClaim', 'Pod', 'List']);
const TIMEOUT_MS = 120_000;

/** What a cluster with Envoy Gateway has beside the objects of an app: its class, and namespaces. */
export function envoyGatewayCluster(...namespaces: readonly string[]): JsonObject[] {
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'envoy-gateway' },
      spec: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
    },
    ...namespaces.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    })),
  ];
}

/**
 * Runs Envoy Gateway's own validation and translation, offline. Exit 0 alone proves little: refused objects are told in their status,
 * so those are complaints too.
 */
export function translateWithEnvoyGateway(egctl: string, manifests: readonly JsonObject[]): Translation {
  const folder = mkdtempSync(path.join(tmpdir(), 'egctl-'));
  try {
    const file = path.join(folder, 'all.yaml');
    writeFileSync(
      file,
      adapted(manifests)
        .map((manifest) => stringify(manifest))
        .join('---\n'),
    );
    const args = [
      'x',
      'translate',
      '--from',
      'gateway-api',
      '--to',
      'xds,gateway-api',
      '-t',
      'all',
      '-o',
      'json',
      '-f',
      file,
      '-n',
      'default',
    ];
    const { status, stdout, stderr, error } = spawnSync(egctl, args, {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      maxBuffer: 256 << 20,
      cwd: folder,
    });
    if (error !== undefined) throw error;
    if (status !== 0) return { complaints: [firstComplaint(stderr)], xds: {}, resources: {} };
    const { xds, ...resources } = JSON.parse(stdout) as { xds?: Record<string, JsonObject> } & Record<string, JsonObject[]>;
    return { complaints: falseConditions(resources), xds: xds ?? {}, resources };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What Envoy Gateway's copy of the definitions says of manifests, without translating them: its complaint about the first that breaks its
 * schema or its rules.
 */
export function schemaComplaint(egctl: string, manifests: readonly JsonObject[]): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'egctl-'));
  try {
    const file = path.join(folder, 'all.yaml');
    writeFileSync(file, manifests.map((manifest) => stringify(manifest)).join('---\n'));
    const args = ['x', 'translate', '--from', 'gateway-api', '--to', 'gateway-api', '-t', 'all', '-o', 'json', '-f', file];
    const options = { encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 256 << 20, cwd: folder } as const;
    const { stderr, error } = spawnSync(egctl, args, options);
    if (error !== undefined) throw error;
    const complaint = firstComplaint(stderr);
    // What comes behind is about what is missing: no GatewayClass, no address.
    return /unable to unmarshal input|failed to retrieve validator|no kind/.test(complaint) ? complaint : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What egctl can read: without kinds it does not know, and with the addresses that a cluster would have given. */
export function adapted(manifests: readonly JsonObject[]): JsonObject[] {
  const kept = manifests.filter(
    ({ apiVersion, kind }) => KNOWN_GROUPS.test(String(apiVersion)) && !IGNORED_KINDS.has(String(kind)),
  );
  return kept.map((manifest, index) => {
    if (manifest['kind'] === 'Service') return withAddress(manifest, index);
    return manifest['kind'] === 'Gateway' ? withoutNamespaceSelectors(manifest) : manifest;
  });
}

// It reads no labels of namespaces, so that a listener with a namespace selector would allow no route.
function withoutNamespaceSelectors(gateway: JsonObject): JsonObject {
  const opened = JSON.stringify(gateway, (key, value) =>
    key === 'namespaces' && isJsonObject(value) && value['from'] === 'Selector' ? { from: 'All' } : value,
  );
  return JSON.parse(opened);
}

// The translation asks for an address; a headless Service has its pods' only, which a file cannot give.
function withAddress(service: JsonObject, index: number): JsonObject {
  const spec = isJsonObject(service['spec']) ? service['spec'] : {};
  const address = spec['clusterIP'];
  if (typeof address === 'string' && address !== 'None') return service;
  return { ...service, spec: { ...spec, clusterIP: `10.96.${Math.floor(index / 250)}.${(index % 250) + 1}` } };
}

function falseConditions(resources: Readonly<Record<string, unknown>>): string[] {
  const complaints: string[] = [];
  const visit = (value: unknown, object: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, object);
    if (!isJsonObject(value)) return;
    const { type, status, reason, message } = value;
    if (status === 'False' && typeof type === 'string')
      complaints.push(`${object}: ${type}=False ${String(reason)}: ${String(message)}`);
    for (const entry of Object.values(value)) visit(entry, object);
  };
  for (const [kind, list] of Object.entries(resources)) {
    for (const object of Array.isArray(list) ? list : [list]) {
      if (!isJsonObject(object)) continue;
      const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
      visit(object['status'], `${kind} ${String(metadata['namespace'] ?? '')}/${String(metadata['name'])}`);
    }
  }
  return complaints;
}

// It prints the same twice, the first time behind `Error: `, and its usage in between.
function firstComplaint(stderr: string): string {
  return /^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr.slice(0, 2000);
}
