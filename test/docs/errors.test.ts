import { readFileSync } from 'node:fs';
import path from 'node:path';
import { page, pages, ROOT, sourceFiles } from './support/pages';

const PAGE = page('docs/errors.md').text;

test('every code that the sources throw is documented, and no other', () => {
  expect(documented()).toEqual(thrown());
});

test('every code is under the heading of its range', () => {
  expect(misplaced(PAGE)).toEqual([]);
});

test('a code under a wrong heading is found', () => {
  expect(misplaced('## Serving (AIG410–AIG439)\n\n| AIG451 | a | b |\n')).toEqual(['AIG451 under Serving (AIG410–AIG439)']);
});

test('every code says what is wrong and what to do', () => {
  const rows = [...PAGE.matchAll(/^\| (AIG\d{3}) \|(.*)$/gm)];
  const poor = rows.filter(([, , rest]) => rest!.split(/(?<!\\)\|/).filter((cell) => cell.trim().length > 5).length < 2);
  expect(poor.map(([, code]) => code)).toEqual([]);
});

test('other pages name no code that is not documented', () => {
  const known = new Set(documented());
  const named = pages().flatMap(({ file, text }) =>
    [...text.replace(/AIG\d{3}–AIG\d{3}/g, '').matchAll(/AIG\d{3}/g)].map(([code]) => [file, code] as const),
  );
  expect(named.length).toBeGreaterThan(documented().length);
  expect(named.filter(([, code]) => !known.has(code))).toEqual([]);
});

/** Codes in string literals, which are the ones that users meet; comments may speak of ranges. */
function thrown(): string[] {
  const codes = sourceFiles('src').flatMap((file) =>
    readFileSync(path.join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line))
      .flatMap((line) => [...line.replace(/\/\/ .*$/, '').matchAll(/AIG\d{3}/g)].map(([code]) => code)),
  );
  return [...new Set(codes)].sort();
}

function documented(): string[] {
  return [...PAGE.matchAll(/^\| (AIG\d{3}) \|/gm)].map((match) => match[1]!).sort();
}

function misplaced(text: string): string[] {
  const wrong: string[] = [];
  let heading = '';
  for (const line of text.split('\n')) {
    heading = /^##+ (.*)$/.exec(line)?.[1] ?? heading;
    const code = /^\| AIG(\d{3}) \|/.exec(line)?.[1];
    if (code === undefined) continue;
    const range = /\(AIG(\d{3})–AIG(\d{3})\)/.exec(heading);
    if (range === null || code < range[1]! || code > range[2]!) wrong.push(`AIG${code} under ${heading}`);
  }
  return wrong;
}
