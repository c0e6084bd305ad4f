import { isDeepStrictEqual } from 'node:util';
import { checkObject } from './check-object';
import { type FieldProblem, type Finding, formatIdentity, type ObjectIdentity, sortFindings } from './findings';
import { expandList, type ManifestDocument, notJson, readManifestFile } from './manifests';
import { KubeObject, type ObjectIndex } from './object-index';
import type { Mend, Profile } from './rules/rule';
import { indexOf, type RuleProblem, type RuleSelection, runRules, selectRules } from './run-rules';
import { formatFieldPath } from './schema/field-path';
import { type Lookup, type RegistryOptions, SchemaRegistry } from './schema/registry';
import { isJsonObject, type JsonObject } from './schema/schema-node';
import { isSuppressed, SUPPRESS_ANNOTATION, type Suppression, suppressionsOf } from './suppressions';

/** The annotation that names the construct which made an object. */
export const CONSTRUCT_PATH_ANNOTATION = 'cdk8s-ai-gateway.dev/path';

export interface ValidationOptions extends RegistryOptions, Omit<Profile, 'previous'> {
  /** What to say of kinds whose schema is not known, so that nothing of them is checked. @default 'warning' */
  readonly unknownKinds?: 'error' | 'warning' | 'ignore';
  /**
   * `'admission'`: what an API server would say of each object alone. `'all'`: also the rules over all objects together. A list: the
   * rules of these codes or names, without schemas.
   *
   * @default 'all'
   */
  readonly rules?: RuleSelection;
  /** Rules that were decided not to apply, beside those of annotations. @default - none */
  readonly suppressions?: readonly Suppression[];
  /** The objects as they are in the cluster, for rules about changes. @default - none */
  readonly old?: readonly (string | ManifestDocument)[];
}

/**
 * Checks manifests offline, and returns everything that is wrong, sorted. Never throws for a manifest.
 *
 * @param manifests paths of YAML or JSON files, documents from `readManifests`, in any mixture
 * @throws RangeError for a version or a rule that does not exist
 */
export function validateManifests(manifests: readonly (string | ManifestDocument)[], options: ValidationOptions = {}): Finding[] {
  const selection = options.rules ?? 'all';
  const rules = selectRules(selection);
  const registry = typeof selection === 'string' ? SchemaRegistry.of(options) : undefined;
  const { items, findings } = readItems(manifests);
  const old = options.old === undefined ? undefined : readItems(options.old);
  findings.push(...(old?.findings ?? []));
  const previous = old === undefined ? undefined : indexOf(objectsOf(old.items));
  const objects: JsonObject[] = [];
  const found: Located[] = [];
  for (const item of items) {
    const { value } = item;
    const reason = unusable(value);
    if (reason !== undefined) findings.push(toFinding(item, undefined, reason));
    else {
      objects.push(value as JsonObject);
      if (registry !== undefined)
        for (const problem of checkDocument(value as JsonObject, registry, options, previous)) found.push({ item, problem });
    }
  }
  const byObject = new Map(items.map((item) => [item.value, item]));
  const index = indexOf(objects);
  for (const problem of runRules(rules, index, { ...options, ...(previous === undefined ? {} : { previous }) })) {
    found.push({ item: byObject.get(problem.value)!, problem });
  }
  for (const entry of withoutRepetitions(found)) {
    findings.push(toFinding(entry.item, identify(entry.item.value as JsonObject), entry.problem));
  }
  return sortFindings(withoutSuppressed(findings, index, byObject, options.suppressions ?? []));
}

interface Located {
  readonly item: ManifestDocument;
  readonly problem: FieldProblem & Partial<Pick<RuleProblem, 'replaces' | 'mend'>>;
}

/** Of a schema's and a rule's finding about one field, the schema's stays, unless the rule knows better. */
function withoutRepetitions(found: readonly Located[]): Located[] {
  const byField = new Map<unknown, Map<string, Located[]>>();
  for (const entry of found) {
    const fields = byField.get(entry.item.value) ?? new Map<string, Located[]>();
    const field = JSON.stringify(entry.problem.path);
    byField.set(entry.item.value, fields.set(field, [...(fields.get(field) ?? []), entry]));
  }
  return [...byField.values()].flatMap((fields) => [...fields.values()].flatMap(mostExact));
}

// Codes below AIG040 are of schemas and metadata, those up to AIG099 of what servers check beyond.
function mostExact(entries: readonly Located[]): readonly Located[] {
  if (entries.length === 1) return entries;
  const replaced = entries.map(({ problem }) => problem.replaces);
  const codes = entries.map(({ problem }) => problem.problem.code);
  return entries.filter(
    (_, index) =>
      !replaced.includes(codes[index]) &&
      !(codes[index]! >= 'AIG040' && codes[index]! < 'AIG100' && codes.some((code) => code < 'AIG040')),
  );
}

/** Every object of every document, Lists taken apart. */
function readItems(manifests: readonly (string | ManifestDocument)[]): { items: ManifestDocument[]; findings: Finding[] } {
  const items: ManifestDocument[] = [];
  const findings: Finding[] = [];
  for (const manifest of manifests) {
    const read = typeof manifest === 'string' ? readManifestFile(manifest) : { documents: [manifest], findings: [] };
    findings.push(...read.findings);
    for (const document of read.documents) {
      const reason = notJson(document.value);
      if (reason === undefined) items.push(...expandList(document));
      else {
        const problem = { code: 'AIG002', what: `the document ${reason}`, fix: 'write plain JSON values' };
        findings.push(toFinding(document, undefined, { path: [], problem }));
      }
    }
  }
  return { items, findings };
}

function objectsOf(items: readonly ManifestDocument[]): JsonObject[] {
  return items.map(({ value }) => value).filter(isJsonObject);
}

function unusable(value: unknown): FieldProblem | undefined {
  if (isJsonObject(value)) return undefined;
  const fix = 'write one object with apiVersion and kind per document';
  return { path: [], problem: { code: 'AIG002', what: 'the document is not a Kubernetes object', value, fix } };
}

function withoutSuppressed(
  findings: readonly Finding[],
  index: ObjectIndex,
  byObject: ReadonlyMap<unknown, ManifestDocument>,
  given: readonly Suppression[],
): Finding[] {
  const kept = findings.filter((finding) => !isSuppressed(finding, given));
  for (const object of index.objects) {
    if (object.annotation(SUPPRESS_ANNOTATION) === undefined) continue;
    const { suppressions, problems } = suppressionsOf(object);
    const identity = identify(object.value);
    const isOwn = (finding: Finding): boolean => isDeepStrictEqual(finding.object, identity);
    for (let position = kept.length - 1; position >= 0; position--)
      if (isOwn(kept[position]!) && isSuppressed(kept[position]!, suppressions)) kept.splice(position, 1);
    const path = ['metadata', 'annotations', SUPPRESS_ANNOTATION];
    for (const { what, value } of problems) {
      const problem = {
        code: 'AIG005',
        what: `${formatFieldPath(path)} ${what}`,
        value,
        allowed: 'AIG201: reason',
        fix: 'correct it',
      };
      kept.push(toFinding(byObject.get(object.value)!, identity, { path, severity: 'warning', problem }));
    }
  }
  return kept;
}

function checkDocument(
  value: JsonObject,
  registry: SchemaRegistry,
  options: ValidationOptions,
  previous: ObjectIndex | undefined,
): FieldProblem[] {
  const { apiVersion, kind } = value;
  const problems = (['apiVersion', 'kind'] as const).flatMap((field): FieldProblem[] => {
    if (typeof value[field] === 'string' && value[field] !== '') return [];
    const what = value[field] === undefined ? `${field} is missing` : `${field} is no text`;
    return [
      {
        path: [field],
        problem: {
          code: 'AIG002',
          what,
          value: value[field],
          fix: `give the object ${field === 'kind' ? 'a kind' : 'an apiVersion'}`,
        },
      },
    ];
  });
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || problems.length > 0) return problems;
  const lookup = registry.lookUp(apiVersion, kind);
  if (!('found' in lookup)) return unknownKind(apiVersion, kind, lookup, options);
  return checkObject(value, lookup.found, previous?.findSame(new KubeObject(value))?.value);
}

function unknownKind(
  apiVersion: string,
  kind: string,
  lookup: Exclude<Lookup, { found: unknown }>,
  options: ValidationOptions,
): FieldProblem[] {
  if ('servedVersions' in lookup) {
    const allowed = lookup.servedVersions.join(', ');
    return [
      {
        path: ['apiVersion'],
        problem: {
          code: 'AIG004',
          what: `${kind} does not exist in ${apiVersion}`,
          value: apiVersion,
          allowed,
          fix: 'take one of these versions',
        },
      },
    ];
  }
  if (lookup.similarKinds.length > 0) {
    const similar = lookup.similarKinds[0]!;
    return [
      {
        path: ['kind'],
        problem: { code: 'AIG004', what: `${apiVersion} has no kind ${kind}`, value: kind, fix: `did you mean '${similar}'?` },
      },
    ];
  }
  const severity = options.unknownKinds ?? 'warning';
  if (severity === 'ignore') return [];
  const fix = 'check it against a cluster that has its definition';
  return [
    {
      path: ['kind'],
      severity,
      problem: { code: 'AIG003', what: `no schema of ${apiVersion} ${kind} is known, so nothing of it was checked`, fix },
    },
  ];
}

function identify(value: JsonObject): ObjectIdentity {
  const metadata = isJsonObject(value['metadata']) ? value['metadata'] : {};
  const text = (entry: unknown): string => (typeof entry === 'string' ? entry : '');
  return {
    apiVersion: text(value['apiVersion']),
    kind: text(value['kind']) === '' ? 'object' : text(value['kind']),
    name: text(metadata['name']) === '' ? text(metadata['generateName']) : text(metadata['name']),
    ...(text(metadata['namespace']) === '' ? {} : { namespace: text(metadata['namespace']) }),
  };
}

function toFinding(
  document: ManifestDocument,
  object: ObjectIdentity | undefined,
  { path, problem, severity, mend }: FieldProblem & { readonly mend?: Mend },
): Finding {
  const position = document.locate?.(path);
  const constructPath = constructPathOf(document.value);
  const place = [document.file, position?.line, position?.column].filter((part) => part !== undefined).join(':');
  const where = constructPath ?? (place !== '' ? place : object && formatIdentity(object));
  return {
    ...problem,
    severity: severity ?? 'error',
    ...(where === undefined ? {} : { where }),
    ...(object === undefined ? {} : { object }),
    ...(path.length === 0 ? {} : { field: formatFieldPath(path) }),
    ...(document.file === undefined ? {} : { file: document.file }),
    ...position,
    ...(constructPath === undefined ? {} : { constructPath }),
    ...(mend === undefined ? {} : { mend }),
  };
}

function constructPathOf(value: unknown): string | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  const path = isJsonObject(annotations) ? annotations[CONSTRUCT_PATH_ANNOTATION] : undefined;
  return typeof path === 'string' && path !== '' ? path : undefined;
}
