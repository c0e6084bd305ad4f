import { readFileSync } from 'node:fs';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type ScalarTag,
  type Tags,
} from 'yaml';
import type { Finding } from './findings';
import type { FieldPath } from './schema/field-path';
import { isJsonObject } from './schema/schema-node';

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

// Deeper than any schema; the checks are recursive.
const MAX_DEPTH = 200;

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
  const lines = new LineCounter();
  const documents: ManifestDocument[] = [];
  const findings: Finding[] = [];
  try {
    for (const document of parseAllDocuments(text, {
      lineCounter: lines,
      version: '1.1',
      merge: true,
      customTags: kubernetesTags,
      logLevel: 'silent',
    })) {
      readDocument(document, lines, file, documents, findings);
    }
  } catch (error) {
    findings.push(unreadable(file, `cannot be parsed: ${(error as Error).message}`, 'write valid YAML or JSON'));
  }
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
  document: Document.Parsed,
  lines: LineCounter,
  file: string | undefined,
  documents: ManifestDocument[],
  findings: Finding[],
): void {
  if (document.errors.length > 0) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      // The library's message repeats the place and draws the line below it.
      const reason = error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
      findings.push(unreadable(file, `cannot be parsed: ${reason}`, 'write valid YAML or JSON', { line, column: col }));
    }
    return;
  }
  if (document.contents === null) return;
  const value: unknown = document.toJS();
  if (value === null) return;
  documents.push({ value, ...(file === undefined ? {} : { file }), locate: (path) => locate(document.contents, path, lines) });
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

/**
 * What YAML means to Kubernetes tools, which is neither version: `yes` and `on` are booleans and `0644` is octal as in YAML 1.1, `0o644`
 * is octal as in 1.2, and dates and `1:30` stay text.
 */
function kubernetesTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    const { tag: name, format } =
      typeof tag === 'string' ? { tag, format: undefined } : (tag as { tag: string; format?: string });
    return format !== 'TIME' && !/timestamp|binary|omap|pairs|set$/.test(name);
  });
  return [OCTAL, ...kept];
}

const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => (text.startsWith('-') ? -1 : 1) * Number.parseInt(text.replace(/^[-+]?0o/, ''), 8),
};

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
  if (offset === undefined) return undefined;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
