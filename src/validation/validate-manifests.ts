import { checkObject } from './check-object';
import { type FieldProblem, type Finding, formatIdentity, type ObjectIdentity, sortFindings } from './findings';
import { expandList, type ManifestDocument, notJson, readManifestFile } from './manifests';
import { formatFieldPath } from './schema/field-path';
import { type Lookup, type RegistryOptions, SchemaRegistry } from './schema/registry';
import { isJsonObject, type JsonObject } from './schema/schema-node';

/** The annotation that names the construct which made an object. */
export const CONSTRUCT_PATH_ANNOTATION = 'cdk8s-ai-gateway.dev/path';

export interface ValidationOptions extends RegistryOptions {
  /** What to say of kinds whose schema is not known, so that nothing of them is checked. @default 'warning' */
  readonly unknownKinds?: 'error' | 'warning' | 'ignore';
}

/**
 * Checks manifests as an API server would on create, offline, and returns everything that is wrong, sorted. Never throws for a manifest.
 *
 * @param manifests paths of YAML or JSON files, documents from `readManifests`, in any mixture
 */
export function validateManifests(manifests: readonly (string | ManifestDocument)[], options: ValidationOptions = {}): Finding[] {
  const registry = SchemaRegistry.of(options);
  const findings: Finding[] = [];
  for (const manifest of manifests) {
    const read = typeof manifest === 'string' ? readManifestFile(manifest) : { documents: [manifest], findings: [] };
    findings.push(...read.findings);
    for (const document of read.documents) findings.push(...validateDocument(document, registry, options));
  }
  return sortFindings(findings);
}

function validateDocument(document: ManifestDocument, registry: SchemaRegistry, options: ValidationOptions): Finding[] {
  const reason = notJson(document.value);
  if (reason !== undefined) {
    return [
      toFinding(document, undefined, {
        path: [],
        problem: { code: 'AIG002', what: `the document ${reason}`, fix: 'write plain JSON values' },
      }),
    ];
  }
  return expandList(document).flatMap((item) => {
    const { value } = item;
    if (!isJsonObject(value)) {
      const fix = 'write one object with apiVersion and kind per document';
      return [
        toFinding(item, undefined, {
          path: [],
          problem: { code: 'AIG002', what: 'the document is not a Kubernetes object', value, fix },
        }),
      ];
    }
    const identity = identify(value);
    return checkDocument(value, registry, options).map((problem) => toFinding(item, identity, problem));
  });
}

function checkDocument(value: JsonObject, registry: SchemaRegistry, options: ValidationOptions): FieldProblem[] {
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
  return 'found' in lookup ? checkObject(value, lookup.found) : unknownKind(apiVersion, kind, lookup, options);
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
  { path, problem, severity }: FieldProblem,
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
  };
}

function constructPathOf(value: unknown): string | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  const path = isJsonObject(annotations) ? annotations[CONSTRUCT_PATH_ANNOTATION] : undefined;
  return typeof path === 'string' && path !== '' ? path : undefined;
}
