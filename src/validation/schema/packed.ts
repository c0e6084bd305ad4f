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
  readonly schema: SchemaNode;
}

export interface PinnedSchemas {
  readonly crds: readonly CrdSchema[];
  /** Kubernetes minor version → OpenAPI definitions. */
  readonly kubernetes: Readonly<Record<string, Definitions>>;
}

let unpacked: PinnedSchemas | undefined;

/** Everything in imports/crds; about 25 ms on first use. */
export function pinnedSchemas(): PinnedSchemas {
  unpacked ??= JSON.parse(brotliDecompressSync(Buffer.from(PACKED_SCHEMAS, 'base64')).toString('utf8')) as PinnedSchemas;
  return unpacked;
}
