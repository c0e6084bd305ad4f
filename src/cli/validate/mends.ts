import { isMap, isScalar, isSeq, type Node, type Pair, stringify, type YAMLMap } from 'yaml';
import type { Finding } from '../../validation';
import { parseYaml } from '../../validation/yaml-documents';

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The text with the mends of the findings made, and everything else as it was written: comments, order, quotes. */
export function applyMends(text: string, findings: readonly Finding[]): string {
  const mends = findings.flatMap(({ object, mend }) => (object === undefined || mend === undefined ? [] : [{ object, mend }]));
  if (mends.length === 0) return text;
  const roots = parseYaml(text).documents.flatMap(({ document, problems }) =>
    problems.length === 0 ? itemsOf(document.contents) : [],
  );
  const edits = mends.flatMap(({ object, mend }): Edit[] => {
    const root = roots.find(
      (candidate) =>
        textAt(candidate, ['apiVersion']) === object.apiVersion &&
        textAt(candidate, ['kind']) === object.kind &&
        textAt(candidate, ['metadata', 'name']) === object.name &&
        textAt(candidate, ['metadata', 'namespace']) === object.namespace,
    );
    if (root === undefined) return [];
    const edit = 'remove' in mend ? removal(text, root, mend.remove) : setting(text, root, mend.set, mend.value);
    return edit === undefined ? [] : [edit];
  });
  return apply(text, edits);
}

function itemsOf(root: unknown): YAMLMap[] {
  if (!isMap(root)) return [];
  const items = root.get('items', true);
  if (root.get('kind') === 'List' && isSeq(items)) return items.items.filter(isMap);
  return [root];
}

function textAt(root: YAMLMap, path: readonly string[]): string | undefined {
  const value: unknown = root.getIn(path);
  return typeof value === 'string' ? value : undefined;
}

// From the end, so that offsets stay right; of two edits of one place the first is made.
function apply(text: string, edits: readonly Edit[]): string {
  let result = text;
  let limit = Number.POSITIVE_INFINITY;
  for (const { from, to, text: inserted } of [...edits].sort((a, b) => b.from - a.from || b.to - a.to)) {
    if (to > limit || (from === limit && from === to)) continue;
    result = result.slice(0, from) + inserted + result.slice(to);
    limit = from;
  }
  return result;
}

function removal(text: string, root: YAMLMap, path: readonly (string | number)[]): Edit | undefined {
  const parent: unknown = path.length === 1 ? root : root.getIn(path.slice(0, -1), true);
  const key = path.at(-1)!;
  if (isSeq(parent)) {
    const item = parent.items[Number(key)] as Node | undefined;
    return item?.range == null ? undefined : entry(text, parent, parent.items.indexOf(item), item.range[0], item.range[1]);
  }
  if (!isMap(parent)) return undefined;
  const index = parent.items.findIndex((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
  const pair = parent.items[index] as Pair<Node, Node | null> | undefined;
  if (pair?.key.range == null) return undefined;
  return entry(text, parent, index, pair.key.range[0], pair.value?.range?.[1] ?? pair.key.range[1]);
}

function entry(
  text: string,
  parent: { flow?: boolean | undefined; items: unknown[] },
  index: number,
  from: number,
  to: number,
): Edit | undefined {
  if (parent.flow === true) {
    const after = /^\s*,\s*/.exec(text.slice(to));
    if (after !== null) return { from, to: to + after[0].length, text: '' };
    const before = /,\s*$/.exec(text.slice(0, from));
    return { from: before === null ? from : from - before[0].length, to, text: '' };
  }
  // The only entry, or one on the line of something else: not without rewriting what is around it.
  const lineStart = text.lastIndexOf('\n', from - 1) + 1;
  if (parent.items.length === 1 || !/^\s*(-\s+)?$/.test(text.slice(lineStart, from))) return undefined;
  if (index === 0 && text.slice(lineStart, from).includes('-') && !('srcToken' in parent && isSeq(parent))) return undefined;
  const newline = text.indexOf('\n', Math.max(from, to - 1));
  return { from: lineStart, to: newline === -1 ? text.length : newline + 1, text: '' };
}

function setting(text: string, root: YAMLMap, path: readonly (string | number)[], value: unknown): Edit | undefined {
  const present: unknown = root.getIn(path, true);
  if (isScalar(present) && present.range != null) {
    return { from: present.range[0], to: present.range[1], text: stringify(value).trimEnd() };
  }
  // The nearest map that is there gets the rest of the path.
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const parent: unknown = depth === 0 ? root : root.getIn(path.slice(0, depth), true);
    if (parent === undefined || parent === null) continue;
    if (!isMap(parent) || parent.range == null) return undefined;
    const rest = path.slice(depth).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    return addition(text, parent, rest);
  }
  return undefined;
}

function addition(text: string, parent: YAMLMap, value: unknown): Edit | undefined {
  const last = parent.items.at(-1) as Pair<Node, Node | null> | undefined;
  if (last?.key.range == null) return undefined;
  if (parent.flow === true) {
    const at = last.value?.range?.[1] ?? last.key.range[1];
    return { from: at, to: at, text: `, ${JSON.stringify(value).slice(1, -1).replaceAll('":', '": ')}` };
  }
  const first = (parent.items[0] as Pair<Node>).key.range!;
  const indent = first[0] - (text.lastIndexOf('\n', first[0] - 1) + 1);
  // A value's end is behind its newline, or before it.
  const end = last.value?.range?.[1] ?? last.key.range[1];
  const newline = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1 || text.length;
  const lines = stringify(value)
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');
  return { from: newline, to: newline, text: newline === text.length && !text.endsWith('\n') ? `\n${lines}` : lines };
}
