import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readManifestFile } from '../../src/validation';
import { SchemaRegistry } from '../../src/validation/schema/registry';
import type { JsonObject } from '../../src/validation/schema/schema-node';
import { type Mutation, mutationsOf, spread } from './mutations';

const FIXTURES = path.join(__dirname, '..', 'fixtures', 'admission');
const MUTATIONS_PER_OBJECT = 200;

/** An object that a server accepts, with many broken forms of it. */
export interface Subject {
  /** `gateway-api.yaml: gateway.networking.k8s.io/v1 Gateway ai`. */
  readonly name: string;
  readonly object: JsonObject;
  readonly isBuiltIn: boolean;
  readonly documents: readonly Mutation[];
  /** Changes when one of the documents does. */
  readonly hash: string;
}

/** Objects of every kind that a server can install, and the richest of every kind of the examples (`examples.yaml`). */
export function subjects(): Subject[] {
  return readdirSync(FIXTURES)
    .sort()
    .flatMap((file) =>
      readManifestFile(path.join(FIXTURES, file)).documents.map(({ value }) => subject(file, value as JsonObject)),
    );
}

function subject(file: string, object: JsonObject): Subject {
  const { apiVersion, kind, metadata } = object as { apiVersion: string; kind: string; metadata: { name: string } };
  const documents = [{ name: 'as written', object }, ...spread(mutationsOf(object), MUTATIONS_PER_OBJECT)];
  const lookup = SchemaRegistry.of().lookUp(apiVersion, kind);
  return {
    name: `${file}: ${apiVersion} ${kind} ${metadata.name}`,
    object,
    isBuiltIn: 'found' in lookup && lookup.found.isBuiltIn,
    documents,
    hash: createHash('sha256').update(JSON.stringify(documents)).digest('hex').slice(0, 12),
  };
}
