import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEndpointsFile } from '../../src/picker/discovery/endpoints-file';
import { parseEndpointPickerConfig } from '../../src/picker-config/endpoint-picker-config-parser';
import { parsePickerPolicy } from '../../src/picker-config/picker-policy-parser';
import type { Problem } from '../../src/shared/problem';
import { IMPLEMENTATIONS } from '../support/gateway-program';
import { withGeneratedBlocks } from './support/generated-blocks';
import { page, pages, prose, ROOT, sourceFiles } from './support/pages';

const FILES = pages().map(({ file }) => [file]);

test.each(FILES)('the generated blocks of %s are what the sources say', (file) => {
  const { text } = page(file);
  const generated = withGeneratedBlocks(text);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path.join(ROOT, file), generated);
  expect(page(file).text).toBe(generated);
});

test('a generated block without an end is a fault', () => {
  for (const { file, text } of pages()) {
    expect([file, count(text, /^<!-- generated: /gm)]).toEqual([
      file,
      count(text, /^<!-- generated: [^>]* -->\n(?:(?!<!-- generated)[\s\S])*?^<!-- end -->$/gm),
    ]);
  }
});

test.each(FILES)('links of %s lead somewhere', (file) => {
  expect(brokenLinks(file)).toEqual([]);
});

test('every page of docs/ can be reached from README.md', () => {
  const reached = new Set<string>();
  const follow = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    if (!file.endsWith('.md')) return;
    for (const target of linksOf(file)) {
      const [name] = target.split('#');
      if (name !== '' && !/^[a-z]+:/.test(target)) follow(path.posix.join(path.posix.dirname(file), name!));
    }
  };
  follow('README.md');
  const folders = [...reached].map((target) => `${target.replace(/\/$/, '')}/`);
  const lost = FILES.map(([file]) => file!).filter(
    (file) => !reached.has(file) && !folders.some((folder) => file.startsWith(folder) && file.startsWith('examples/')),
  );
  expect(lost).toEqual([]);
});

test('pages that messages and comments of the sources refer to exist', () => {
  const named = sourceFiles('src').flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/(?<![\w./])docs\/[\w/.-]+\.md/g)].map(
      ([name]) => [file, name] as const,
    ),
  );
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter(([, name]) => !existsSync(path.join(ROOT, name)))).toEqual([]);
});

test.each(IMPLEMENTATIONS.map(([name]) => [name]))('the page of %s tells the owner of a Gateway what to add', (name) => {
  // the warning of AiGateway.fromGatewayName refers to docs/gateways/<name>.md
  expect(page(`docs/gateways/${name}.md`).text).toMatch(/^## A Gateway of somebody else$/m);
});

const CONFIGURATIONS: { readonly [word: string]: (text: string, file: string) => { readonly problems: readonly Problem[] } } = {
  config: parseEndpointPickerConfig,
  endpoints: parseEndpointsFile,
  policy: parsePickerPolicy,
};

test.each(Object.keys(CONFIGURATIONS))('every %s file on the pages is one that the picker reads', (word) => {
  const blocks = pages().flatMap(({ file, fences }) =>
    fences.filter(({ words }) => words[0] === word).map((fence) => ({ file, fence })),
  );
  expect(blocks.length).toBeGreaterThan(0);
  for (const { file, fence } of blocks) expect(CONFIGURATIONS[word]!(fence.text, `${file}:${fence.line}`).problems).toEqual([]);
});

test('every npm script in a shell snippet exists', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const commands = pages().flatMap(({ file, fences }) =>
    fences
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) =>
        [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))\b/g)].map((match) => [file, match[1] ?? match[2]!]),
      ),
  );
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter(([, script]) => !(script! in scripts))).toEqual([]);
});

test('every file that a shell snippet runs exists', () => {
  const sources = pages().flatMap(({ file, fences }) =>
    fences
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => [...text.matchAll(/\bnode (dist\/\S+)/g)].map((match) => [file, match[1]!])),
  );
  const source = (built: string): string =>
    built
      .replace(/^dist\/lib\//, '')
      .replace(/^dist\/picker\//, 'src/picker/')
      .replace(/\.js$/, '.ts');
  expect(sources.length).toBeGreaterThan(5);
  expect(sources.filter(([, built]) => !existsSync(path.join(ROOT, source(built!))))).toEqual([]);
});

function brokenLinks(file: string): string[] {
  return linksOf(file).filter((target) => {
    if (/^(https?|mailto):/.test(target)) return false;
    const [name, anchor] = target.split('#');
    const linked = name === '' ? file : path.posix.join(path.posix.dirname(file), decodeURI(name!));
    if (!existsSync(path.join(ROOT, linked))) return true;
    if (anchor === undefined) return false;
    return statSync(path.join(ROOT, linked)).isDirectory() || !anchorsOf(linked).includes(anchor);
  });
}

function linksOf(file: string): string[] {
  return [...prose(page(file)).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** As GitHub makes them from headings. */
function anchorsOf(file: string): string[] {
  return [...prose(page(file)).matchAll(/^#+ (.*)$/gm)].map(
    (match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replace(/ /g, '-'), // prettier-ignore
  );
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
