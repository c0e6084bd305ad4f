import { expectValid } from './schemas';

const valid = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

describe('expectValid', () => {
  it('passes valid manifests, as objects and as YAML', () => {
    expectValid([valid]);
    expectValid('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  });

  it.each<[string, string | unknown[], RegExp]>([
    ['an unknown field', [{ ...valid, x: 1 }], /1 findings:\nerror ConfigMap a: AIG010/],
    [
      'a warning',
      [{ ...valid, kind: 'Pod', spec: { containers: [{ name: 'a', env: [{ name: 'A' }, { name: 'A' }] }] } }],
      /warning Pod a: AIG016/,
    ],
    ['a kind that nobody knows', [{ ...valid, apiVersion: 'example.com/v1', kind: 'Thing' }], /AIG003/],
    ['YAML that does not parse', 'a: [', /AIG001/],
    ['nothing at all', [], /no manifest/],
  ])('fails on %s', (_, manifests, message) => {
    expect(() => expectValid(manifests)).toThrow(message);
  });
});
