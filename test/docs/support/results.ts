import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiObject } from 'cdk8s';
import { stringify } from 'yaml';
import { overview } from '../../../src/cli/overview';
import { formatFinding, readManifests, validateManifests } from '../../../src/validation';
import type { Fence, Page } from './pages';
import { asModule, run } from './snippets';

/** A block that shows what the snippet before it gives. */
interface Result {
  readonly snippet: Fence;
  readonly block: Fence;
}

/** The page with every result block filled anew. */
export function withResults(page: Page): string {
  return [...resultsOf(page)]
    .reverse()
    .reduce((text, result) => text.slice(0, result.block.start) + shownResult(result) + text.slice(result.block.end), page.text);
}

/** The pairs of a page: a snippet marked `ts run` or `ts fails`, and each block marked `result` up to the next snippet. */
export function resultsOf({ fences }: Page): Result[] {
  const results: Result[] = [];
  let snippet: Fence | undefined;
  for (const fence of fences) {
    if (fence.language === 'ts' || fence.words[0] === 'validate') snippet = fence;
    else if (fence.words.includes('result') && snippet !== undefined) results.push({ snippet, block: fence });
  }
  return results;
}

/**
 * What the block should show.
 *
 * - `text result tree`: the objects below the constructs that made them, with the reason for each
 * - `text result` behind `ts fails`: the message of the error
 * - `text result` behind `yaml validate`: the findings
 * - `yaml result kind=A,B name=C`: the objects of those kinds and of that name
 */
function shownResult({ snippet, block }: Result): string {
  if (snippet.words[0] === 'validate') return findings(snippet.text);
  const folder = mkdtempSync(path.join(tmpdir(), 'snippet-'));
  try {
    const code = asModule(snippet);
    if (snippet.words.includes('fails')) return failure(() => run(code, folder).synth());
    const app = run(code, folder);
    app.synth();
    return block.words.includes('tree')
      ? tree(overview(app).text)
      : yaml(app.node.findAll().filter(ApiObject.isApiObject), block);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function findings(text: string): string {
  const { documents, findings: unreadable } = readManifests(text);
  return [...unreadable, ...validateManifests(documents)].map((finding) => `${formatFinding(finding)}\n`).join('');
}

function failure(program: () => unknown): string {
  try {
    program();
  } catch (error) {
    const lines = (error as Error).message.split('\n').map((line) => line.trim());
    return `${lines
      .filter((line) => /AIG\d{3}/.test(line))
      .map((line) => line.slice(line.indexOf('AIG')))
      .join('\n')}\n`; // prettier-ignore
  }
  throw new Error('nothing was refused');
}

/** How the picker's program is cut into ConfigMaps depends on the build, so one line stands for all of them. */
function tree(text: string): string {
  const [objects = ''] = text.split('\n\n');
  const parts = /^.*ConfigMap \S+-bundle-[0-9a-f]{8}-[1-9]\d*:.*\n/gm;
  return `${objects.replace(parts, '').replace(/-bundle-[0-9a-f]{8}-0: .*/g, "-bundle-…: the picker's program, packed")}\n`; // prettier-ignore
}

function yaml(objects: readonly ApiObject[], block: Fence): string {
  const value = (key: string): string | undefined =>
    block.words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const kinds = value('kind')?.split(',');
  const name = value('name');
  const chosen = objects.filter(({ kind, name: own }) => (kinds?.includes(kind) ?? true) && (name === undefined || name === own));
  if (chosen.length === 0) throw new Error(`nothing is ${block.words.join(' ')}`);
  return chosen.map((object) => stringify(object.toJson(), { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
