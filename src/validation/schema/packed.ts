import { brotliDecompressSync } from 'node:zlib';
import { PACKED_SCHEMAS } from '../../../imports/schemas';
import type { Definitions } from './openapi';
import type { SchemaNode } from './schema-node';

/** One CustomResourceDefinition, what validation needs of it. */
export interface CrdSchema {
  /** Project and version, for messages. */
  readonly source: string;
  /** Set where two projects' releases define the same kind and version. */
  readonly channel?: 'standard' | 'experimental';
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly versions: readonly CrdVersion[];
}

export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly hasStatusSubresource: boolean;
  /** Parsed anew at every call: keep it. */
  readonly schema: () => SchemaNode;
}

export interface PinnedSchemas {
  readonly crds: readonly CrdSchema[];
  /** Kubernetes minor version → OpenAPI definitions, parsed anew at every call. */
  readonly kubernetes: Readonly<Record<string, () => Definitions>>;
}

let unpacked: PinnedSchemas | undefined;

/** Everything in imports/crds; a few milliseconds on first use, and each schema is parsed when it is looked at. */
export function pinnedSchemas(): PinnedSchemas {
  unpacked ??= unpack(brotliDecompressSync(Buffer.from(PACKED_SCHEMAS, 'base64')));
  return unpacked;
}

/** Where a text begins and ends behind the index, in bytes. */
type Extent = readonly [from: number, to: number];

interface PackedIndex {
  readonly crds: readonly (Omit<CrdSchema, 'versions'> & {
    readonly versions: readonly (Omit<CrdVersion, 'schema'> & { readonly schema: Extent })[];
  })[];
  readonly kubernetes: Readonly<Record<string, Extent>>;
}

function unpack(content: Buffer): PinnedSchemas {
  const start = content.indexOf('\n') + 1;
  const { crds, kubernetes } = JSON.parse(content.toString('utf8', 0, start)) as PackedIndex;
  const parse =
    <T>([from, to]: Extent) =>
    (): T =>
      JSON.parse(content.toString('utf8', start + from, start + to));
  return {
    crds: crds.map((crd) => ({
      ...crd,
      versions: crd.versions.map((version) => ({ ...version, schema: parse<SchemaNode>(version.schema) })),
    })),
    kubernetes: Object.fromEntries(Object.entries(kubernetes).map(([version, text]) => [version, parse<Definitions>(text)])),
  };
}
