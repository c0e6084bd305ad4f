import { isLabelValue, isQualifiedName, NAME_FORMS, type NameRule } from '../../../src/validation/names';

const long = (length: number): string => 'a'.repeat(length);

describe('a name', () => {
  it.each<[NameRule, string[], string[]]>([
    ['dns-subdomain', ['a', 'a.b-c', '1a', long(253)], ['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', long(254)]],
    ['dns-label', ['a', '1-a', long(63)], ['', 'a.b', 'A', long(64)]],
    ['dns-1035-label', ['a1'], ['1a', 'a.b', long(64)]],
    ['path-segment', ['system:a', 'A b', long(300)], ['.', '..', 'a/b', 'a%b']],
    ['cron-job', [long(52)], [long(53)]],
  ])('by the rule %s', (rule, good, bad) => {
    expect(good.filter((name) => !NAME_FORMS[rule].accepts(name))).toEqual([]);
    expect(bad.filter((name) => NAME_FORMS[rule].accepts(name))).toEqual([]);
  });
});

describe('labels', () => {
  it('have qualified names as keys', () => {
    expect(['a', 'a.b/c', 'A_b.c-d', long(63), `${long(253)}/x`].filter((key) => !isQualifiedName(key))).toEqual([]);
    expect(['', '/a', 'a/', 'a/b/c', 'A.b/c', '-a', 'a b', long(64), `${long(254)}/x`].filter(isQualifiedName)).toEqual([]);
  });

  it('have short values of letters, digits and three other characters', () => {
    expect(['', 'a', 'A_b.c-1', long(63)].filter((value) => !isLabelValue(value))).toEqual([]);
    expect(['-a', 'a-', 'a/b', 'a b', 'é', long(64)].filter(isLabelValue)).toEqual([]);
  });
});
