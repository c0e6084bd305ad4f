import { run } from '@bufbuild/cel';
import fc from 'fast-check';
import { compileRe2 } from '../../../../src/validation/schema/re2';

describe('a pattern of RE2', () => {
  it.each<[string, string[], string[]]>([
    ['^(?i)(abort|warn)?$', ['', 'WARN', 'Abort'], ['warned', 'x']],
    ['(?i)^x$', ['x', 'X'], ['xx']],
    ['^\\PC*$', ['abc', 'é 😀'], ['a\u0007b', '\u200b']],
    ['^[\\p{N}\\p{L}.\\-_~]*$', ['aé٣.-_~', ''], ['a b', '😀']],
    ['^\\pL+$', ['é'], ['1']],
    ['^\\p{Greek}$', ['α'], ['a']],
    ['^\\s$', [' ', '\t', '\n', '\f', '\r'], ['\u00a0', '\v', '\u2003']],
    ['^\\S$', ['\u00a0', 'a'], [' ']],
    ['^[^\\s]$', ['\u00a0'], [' ', '\n']],
    ['^.$', ['\r', '\u2028', '😀'], ['\n', 'ab']],
    ['^(?s).$', ['\n'], []],
    ['(?m)^b$', ['a\nb\nc'], ['ab', 'b\r']],
    ['^a$', ['a'], ['a\n']],
    ['^\\d\\w\\D\\W$', ['1_a-'], ['٣aa-', '1é a']],
    ['^[A-Za-z0-9-_]{1,3}$', ['a-_'], ['', 'abcd', '.']],
    ['^[]a]$', [']', 'a'], ['b']],
    ['^[^]a]$', ['b'], [']', 'a']],
    ['^[[:alpha:]][[:^digit:]]$', ['ab'], ['1b', 'a1']],
    ['^a{2}b{1,}c{,3}$', ['aabc{,3}'], ['aab', 'aabccc']],
    ['^\\Qa.b\\E$', ['a.b'], ['axb']],
    ['\\Aab\\z', ['ab'], ['ab\n', 'xab']],
    ['^(?P<n>a)(?<m>b)(?:c)(d)$', ['abcd'], ['abc']],
    ['^\\x41\\x{1F600}\\101$', ['A😀A'], ['AA']],
    ['^[\\x60|~]+$', ['`|~'], ['a']],
    ['a|b$', ['ax', 'xb'], ['bx']],
    ["^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", ["a!#'-."], ['(', ' ']],
    ['^\\$(LATEST|[0-9]+)$', ['$LATEST', '$1'], ['LATEST']],
  ])('%s matches %j and not %j', (pattern, matching, other) => {
    const regExp = compileRe2(pattern);
    expect(matching.filter((text) => !regExp.test(text))).toEqual([]);
    expect(other.filter((text) => regExp.test(text))).toEqual([]);
  });

  it.each([
    '(?=a)',
    '(?<!a)',
    '\\1',
    '(?U)a',
    'a(?i)b',
    '(a(?i)b)',
    '[a',
    '[b-a]',
    '[[:nope:]]',
    '\\',
    '\\C',
    '(',
    'a**b(',
    '\\p{Nope}',
  ])('that RE2 refuses or JavaScript cannot express is refused: %s', (pattern) => {
    expect(() => compileRe2(pattern)).toThrow(/cannot run the pattern/);
  });

  it('matches what an engine of RE2 matches, whatever the pattern', () => {
    const atom = fc.constantFrom(
      'a',
      'B',
      '.',
      '\\d',
      '\\w',
      '\\s',
      '\\S',
      '[a-c]',
      '[^b]',
      '[-_a]',
      '\\PC',
      '\\pL',
      '\\.',
      'é',
      '[\\W]',
      '(?:ab|c)',
    );
    const pattern = fc.array(fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}')), { maxLength: 5 });
    const anchored = fc.tuple(fc.constantFrom('', '^', '(?i)', '^(?i)', '(?s)'), pattern, fc.constantFrom('', '$'));
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'B', 'c', '1', '_', '-', ' ', '\n', '\u00a0', 'é', '😀', '.', '{'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(anchored, text, ([start, parts, end], value) => {
        const source = `${start}${parts.map(([what, count]) => what + count).join('')}${end}`;
        expect([source, value, compileRe2(source).test(value)]).toEqual([
          source,
          value,
          run('t.matches(p)', { t: value, p: source }),
        ]);
      }),
      { numRuns: 300 },
    );
  });
});
