import { readFileSync } from 'node:fs';
import { isCollection, isMap, isNode, isPair, type LineCounter, type ParsedNode } from 'yaml';
import type { Finding } from './findings';
import { MAX_DEPTH } from './nesting';
import type { FieldPath } from './schema/field-path';
import { isJsonObject } from './schema/schema-node';
import { parseYaml, type YamlDocument, type YamlProblem } from './yaml-documents';

/** Line and column, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One object of a file or of a program, before anything is known of it. */
export interface ManifestDocument {
  readonly value: unknown;
  readonly file?: string;
  /** Where a field stands; for a field that is missing, where its nearest parent stands. */
  readonly locate?: (path: FieldPath) => Position | undefined;
}

export interface ReadManifests {
  readonly documents: readonly ManifestDocument[];
  readonly findings: readonly Finding[];
}

/** The YAML or JSON documents of a file; what cannot be read is a finding, never an exception. */
export function readManifestFile(file: string): ReadManifests {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { documents: [], findings: [unreadable(file, `cannot be read: ${(error as Error).message}`, 'check the path')] };
  }
  return readManifests(text, file);
}

/** The same for text; `file` is for messages. */
export function readManifests(text: string, file?: string): ReadManifests {
  const documents: ManifestDocument[] = [];
  const findings: Finding[] = [];
  const parsed = parseYaml(text);
  for (const problem of parsed.problems) findings.push(unparsable(problem, parsed.lines, file));
  for (const document of parsed.documents) readDocument(document, text, parsed.lines, file, documents, findings);
  return { documents, findings };
}

/** Splits a `kind: List` into its items, as kubectl does. */
export function expandList(document: ManifestDocument): readonly ManifestDocument[] {
  const { value } = document;
  if (!isJsonObject(value) || value['kind'] !== 'List' || value['apiVersion'] !== 'v1' || !Array.isArray(value['items']))
    return [document];
  return value['items'].map((item: unknown, index): ManifestDocument => {
    const { file, locate } = document;
    return {
      value: item,
      ...(file === undefined ? {} : { file }),
      ...(locate === undefined ? {} : { locate: (path: FieldPath) => locate(['items', index, ...path]) }),
    };
  });
}

/** Undefined if the value is one that JSON can hold, else what stands in the way. */
export function notJson(value: unknown, depth = 0): string | undefined {
  if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `holds ${value}, which JSON has no form for`;
  if (typeof value !== 'object') return `holds a ${typeof value}, which JSON has no form for`;
  if (!Array.isArray(value) && !isPlain(value)) {
    return `holds a ${value.constructor?.name ?? 'class instance'}, which JSON has no form for`;
  }
  for (const entry of Object.values(value)) {
    const reason = notJson(entry, depth + 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

// Not compared with Object.prototype: an object may come from another realm (a test runner's, a vm's).
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function readDocument(
  { document, problems }: YamlDocument,
  source: string,
  lines: LineCounter,
  file: string | undefined,
  documents: ManifestDocument[],
  findings: Finding[],
): void {
  const [start, end] = document.range;
  const template = problems.length === 0 ? null : /\{\{[-\s]*[.$"a-zA-Z/]/.exec(source.slice(start, end));
  if (template !== null) {
    const fix = 'render it first, with helm template for example';
    findings.push(unreadable(file, 'holds a template, which is no YAML yet', fix, place(lines, start + template.index)));
    return;
  }
  for (const problem of problems) findings.push(unparsable(problem, lines, file));
  if (problems.length > 0 || document.contents === null) return;
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases of aliases, which would be more than memory holds.
    const fix = 'write it without so many aliases';
    findings.push(unparsable({ what: (error as Error).message, fix, offset: start }, lines, file));
    return;
  }
  if (value === null) return;
  documents.push({ value, ...(file === undefined ? {} : { file }), locate: (path) => locate(document.contents, path, lines) });
}

function unparsable({ what, fix, offset }: YamlProblem, lines: LineCounter, file: string | undefined): Finding {
  return unreadable(file, `cannot be parsed: ${what}`, fix, offset === undefined ? undefined : place(lines, offset));
}

function place(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function unreadable(file: string | undefined, what: string, fix: string, position?: Position): Finding {
  const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(':');
  return {
    severity: 'error',
    code: 'AIG001',
    what: `${file ?? 'the text'} ${what}`,
    fix,
    ...(place === '' ? {} : { where: place }),
    ...(file === undefined ? {} : { file }),
    ...position,
  };
}

function locate(root: ParsedNode | null, path: FieldPath, lines: LineCounter): Position | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const step of path) {
    if (!isCollection(node)) break;
    const item = isMap(node)
      ? node.items.find((pair) => String((pair.key as { value?: unknown } | null)?.value ?? pair.key) === String(step))
      : (node.items[Number(step)] as unknown);
    if (item === undefined) break;
    const anchor = isPair(item) ? item.key : item;
    if (isNode(anchor)) offset = anchor.range?.[0] ?? offset;
    node = isPair(item) ? item.value : item;
  }
  return offset === undefined ? undefined : place(lines, offset);
}
