import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { App } from 'cdk8s';
import { overview } from '../../src/cli/overview';
import { synthExample } from '../support/examples';
import { page, pages, ROOT } from './support/pages';
import { resultsOf, withResults } from './support/results';
import { asModule, compileAll, run } from './support/snippets';

const SNIPPETS = pages().flatMap(({ file, fences }) =>
  fences.filter(({ language }) => language === 'ts').map((fence) => ({ place: `${file}:${fence.line}`, fence })),
);

/** The app of an example, made as `npm start` makes it. */
function appOf(name: string, gateway: string): App {
  const before = { ...process.env };
  Object.assign(process.env, { GATEWAY: gateway, CDK8S_OUTDIR: path.join(ROOT, '.cache/docs-example') });
  try {
    return require(path.join(ROOT, 'examples', name, 'main.ts')).app;
  } finally {
    process.env = before;
  }
}

test('every TypeScript snippet compiles against the library', () => {
  expect(SNIPPETS.length).toBeGreaterThan(20);
  expect(compileAll(SNIPPETS.map(({ place, fence }) => ({ place, code: asModule(fence) })))).toEqual([]);
}, 60_000);

test('a snippet with a wrong property, a wrong type or an unknown name does not compile', () => {
  const faults = ["gateway.addModel('x', { poool: pool });", 'gateway.addModel(1, { pool });', 'new NoSuchThing(chart);'];
  const modules = faults.map((text) => ({
    place: text,
    code: asModule({ language: 'ts', words: [], text, start: 0, end: 0, line: 1 }),
  }));
  const messages = compileAll(modules);
  for (const fault of faults) expect(messages.some((message) => message.startsWith(fault))).toBe(true);
}, 60_000);

test.each(
  pages()
    .filter((found) => resultsOf(found).length > 0)
    .map((found) => [found.file]),
)('%s shows what its snippets give', (file) => {
  const shown = withResults(page(file));
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path.join(ROOT, file), shown);
  expect(page(file).text).toBe(shown);
});

test('every snippet that is run or refused shows its result', () => {
  const shown = new Set(pages().flatMap((found) => resultsOf(found).map(({ snippet }) => `${found.file}:${snippet.line}`)));
  const marked = SNIPPETS.filter(({ fence }) => fence.words.includes('run') || fence.words.includes('fails'));
  expect(marked.map(({ place }) => place).filter((place) => !shown.has(place))).toEqual([]);
});

test('excerpts of what npm start prints are real', () => {
  const excerpts = pages().flatMap(({ fences }) => fences.filter(({ words }) => words.includes('excerpt')));
  expect(excerpts).toHaveLength(1);
  // in how many ConfigMaps the picker's program is, depends on its size
  const counted = (text: string): string => text.replace(/\d+ objects/g, 'some objects');
  const printed = counted(overview(appOf('guide', 'envoy-gateway')).text).split('\n');
  let from = 0;
  for (const line of counted(excerpts[0]!.text).trimEnd().split('\n')) {
    if (line.trim() === '…') continue;
    from = printed.indexOf(line, from);
    expect([line, from]).not.toEqual([line, -1]);
  }
});

test('the program in README.md gives the objects of examples/minimal', () => {
  const [program] = page('README.md').fences.filter(({ language }) => language === 'ts');
  const folder = path.join(ROOT, '.cache/readme-program');
  const app = run(asModule(program!), folder);
  app.synth();
  const objects = readFileSync(path.join(folder, 'llm.k8s.yaml'), 'utf8');
  expect(objects).toBe(synthExample('minimal', { GATEWAY: 'envoy-gateway' }).text);
  expect(program!.text.trim().split('\n').length).toBeLessThanOrEqual(25);
});
