import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './support/pages';

const SVG = readFileSync(path.join(ROOT, 'docs/pictures/npm-start.svg'), 'utf8');
const LINES = [...SVG.matchAll(/<text class="([\w-]+)"[^>]*>([^<]*)<\/text>/g)].map(([, kind, text]) => ({ kind, text: text! }));

test('the picture of npm start is of a run in which every expectation held', () => {
  const held = LINES.filter(({ text }) => text.startsWith('✓')).length;
  expect(held).toBeGreaterThanOrEqual(11);
  expect(LINES.at(-1)!.text).toBe(`${held} of ${held} expectations held`);
  expect(LINES.filter(({ kind }) => kind === 'failed')).toEqual([]);
});

test('it is small, whole, and names nothing of the machine that it was made on', () => {
  expect(SVG.length).toBeLessThan(20_000);
  expect(SVG.trimEnd().endsWith('</svg>')).toBe(true);
  expect(SVG).not.toMatch(/\/(home|root|tmp|Users|work)\//);
});
