import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, sourceFiles } from './support/pages';

const PAGE = readFileSync(path.join(ROOT, 'docs/picker/deviations.md'), 'utf8');
const rows = [...PAGE.matchAll(/^\| ([BF]\d+) \|/gm)].map(([, row]) => row!);

/** Files with a test whose title begins with the number of a row, as in `B7, B8: keeps the status`. */
const named = new Map<string, string[]>();
for (const file of sourceFiles('test')) {
  for (const [, list] of readFileSync(path.join(ROOT, file), 'utf8').matchAll(/[([]['"`]([BF]\d+(?:, [BF]\d+)*): /g)) {
    for (const row of list!.split(', ')) named.set(row, [...(named.get(row) ?? []), file]);
  }
}

/** Rows that are not the picker's but the constructs' and the validation's, with the tests that prove them. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, title: string]>> = {
  B14: ['test/unit/constructs/gateway/models.test.ts', "failureMode: 'FailClose'"],
  B15: ['test/conformance/examples.test.ts', 'every emitted document passes its schema and its CEL rules'],
  B16: ['test/unit/picker/ext-proc/response-phase.test.ts', 'is passed on chunk by chunk at once'],
  B19: ['src/validation/rules/rewrite-weights.ts', 'weight'],
};

test('every deviation has a row', () => {
  const numbered = (letter: string, length: number): string[] => Array.from({ length }, (_, index) => `${letter}${index + 1}`);
  expect(rows).toEqual([...numbered('B', 20), ...numbered('F', 10)]);
});

test.each(rows.filter((row) => ELSEWHERE[row] === undefined))('%s has a test that names it', (row) => {
  expect(named.get(row) ?? []).not.toEqual([]);
});

test.each(Object.entries(ELSEWHERE))('%s is proven where the table says', (_row, [file, text]) => {
  expect(readFileSync(path.join(ROOT, file), 'utf8')).toContain(text);
});
