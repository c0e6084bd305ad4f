import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expectValid } from './schemas';

const FIXTURES = path.join(__dirname, '..', 'fixtures', 'admission');

const valid = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

describe('expectValid', () => {
  it('passes valid manifests, as objects and as YAML', () => {
    expectValid([valid]);
    expectValid('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  });

  // admission.test.ts shows that the server does.
  it.each(readdirSync(FIXTURES))('passes what a real API server accepts: %s', (file) => {
    expectValid(readFileSync(path.join(FIXTURES, file), 'utf8'));
  }, 30_000);

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
