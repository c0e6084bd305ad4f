import { readFileSync } from 'node:fs';
import {
  Composer,
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type ParsedNode,
  Parser,
  type ScalarTag,
  type Tags,
  visit,
  type YAMLParseError,
} from 'yaml';
import type { Finding } from './findings';
import { isTooDeep, MAX_DEPTH } from './nesting';
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
    const composer = new Composer({
      version: '1.1',
      merge: true,
      // The library compares every key with every other; checkKeys does it in one pass.
      uniqueKeys: false,
      customTags: kubernetesTags,
      logLevel: 'silent',
    });
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    const deep = tokens.filter(isTooDeep);
    for (const { offset } of deep) {
      const { line, col } = lines.linePos(offset);
      const what = `cannot be parsed: is nested deeper than ${MAX_DEPTH} levels`;
      findings.push(unreadable(file, what, 'write it flatter', { line, column: col }));
    }
    for (const document of composer.compose(tokens.filter((token) => !deep.includes(token)))) {
      readDocument(document, text, lines, file, documents, findings);
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
  source: string,
  lines: LineCounter,
  file: string | undefined,
  documents: ManifestDocument[],
  findings: Finding[],
): void {
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const errors: readonly YamlProblem[] =
    document.errors.length > 0 ? document.errors.map(toProblem) : checkKeys(document.contents);
  const template = /\{\{[-\s]*[.$"a-zA-Z/]/.exec(source.slice(document.range[0], document.range[1]));
  if (errors.length > 0 && template !== null) {
    const fix = 'render it first, with helm template for example';
    findings.push(unreadable(file, 'holds a template, which is no YAML yet', fix, place(document.range[0] + template.index)));
    return;
  }
  for (const { what, offset } of errors)
    findings.push(unreadable(file, `cannot be parsed: ${what}`, 'write valid YAML or JSON', place(offset)));
  if (errors.length > 0 || document.contents === null) return;
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases of aliases, which would be more than memory holds.
    const fix = 'write it without so many aliases';
    findings.push(unreadable(file, `cannot be parsed: ${(error as Error).message}`, fix, place(document.range[0])));
    return;
  }
  if (value === null) return;
  documents.push({ value, ...(file === undefined ? {} : { file }), locate: (path) => locate(document.contents, path, lines) });
}

interface YamlProblem {
  readonly what: string;
  readonly offset: number;
}

// The library's message repeats the place and draws the line below it.
function toProblem(error: YAMLParseError): YamlProblem {
  return { what: error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''), offset: error.pos[0] };
}

/** Keys that stand twice in a map, and keys that are no text, such as an unquoted `{{ x }}`. */
function checkKeys(root: ParsedNode | null): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(root, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (isCollection(key)) problems.push({ what: 'a key is no text', offset });
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) problems.push({ what: 'Map keys must be unique', offset });
        seen.add(key.value);
      }
    },
  });
  return problems;
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
