import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import type { RequestFacts } from '../../../../src/picker/ext-proc/director';
import type { VerifiedClient } from '../../../../src/picker/identity/identity';
import { JwtIdentity } from '../../../../src/picker/identity/jwt/jwt-identity';
import { KeySet } from '../../../../src/picker/identity/jwt/key-set';
import { claimText, verifyToken } from '../../../../src/picker/identity/jwt/token';
import type { JwtIdentity as JwtSettings } from '../../../../src/picker-config/picker-policy';
import type { Problem } from '../../../../src/shared/problem';
import { eventually } from '../../../components/process';
import { fuzzRuns } from '../../../property/corpus';
import { keySet, TokenIssuer } from '../../../support/token-issuer';

const NOW = 1_800_000_000;
const RULES = { issuer: 'https://issuer.example', audiences: ['llm', 'tools'], clockSkewSeconds: 30 };
const GOOD = { iss: RULES.issuer, aud: 'llm', sub: 'alice', exp: NOW + 600 };
const issuer = new TokenIssuer();
const keys = KeySet.parse(keySet(issuer))!.keys;
const verify = (token: string, now = NOW): unknown => verifyToken(token, keys, RULES, now);

test.each(['RS256', 'ES256', 'EdDSA'] as const)('a token that is signed with %s is one', (algorithm) => {
  const one = new TokenIssuer(RULES.issuer, algorithm);
  const set = KeySet.parse(keySet(issuer, one))!.keys;
  expect(verifyToken(one.sign(GOOD), set, RULES, NOW)).toEqual({ claims: GOOD });
  expect(verifyToken(one.sign(GOOD, { kid: undefined }), set, RULES, NOW)).toEqual({ claims: GOOD });
});

test.each([
  ['an expired one', { exp: NOW - 31 }, 'it has expired'],
  ['one without an end', { exp: undefined }, 'it never expires'],
  ['one that is not valid yet', { nbf: NOW + 31 }, 'it is not valid yet'],
  ['one of another issuer', { iss: 'https://other.example' }, 'it is of another issuer'],
  ['one for somebody else', { aud: 'web' }, 'it is for another audience'],
  ['one for nobody', { aud: undefined }, 'it is for another audience'],
])('%s is refused', (_, changes, reason) => {
  expect(verify(issuer.sign({ ...GOOD, ...changes }))).toEqual({ reason });
});

test.each([
  ['within the bounds of the clocks', { exp: NOW - 29, nbf: NOW + 29 }],
  ['for several', { aud: ['web', 'tools'] }],
])('one %s is not', (_, changes) => {
  expect(verify(issuer.sign({ ...GOOD, ...changes }))).toHaveProperty('claims');
});

test('a token that somebody else signed, or that was changed, is none of the issuer', () => {
  const reason = 'no key of its issuer has signed it';
  expect(verify(new TokenIssuer().sign(GOOD))).toEqual({ reason });
  const [head, , signature] = issuer.sign(GOOD).split('.');
  const body = Buffer.from(JSON.stringify({ ...GOOD, sub: 'bob' })).toString('base64url');
  expect(verify(`${head}.${body}.${signature}`)).toEqual({ reason });
  expect(verify(issuer.sign(GOOD, { kid: 'another' }))).toEqual({ reason });
});

test('nobody proves anything without a signature, or with the public key as a secret', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const alg of ['none', 'None', 'HS256', 'RS256']) {
    const text = `${part({ alg, kid: issuer.keyId })}.${part(GOOD)}`;
    const mac = createHmac('sha256', JSON.stringify(issuer.jwk)).update(text).digest('base64url');
    expect(verify(`${text}.${mac}`)).toEqual({ reason: 'no key of its issuer has signed it' });
    expect(verify(`${text}.`)).toEqual({ reason: 'it is no token' });
  }
});

test('what a token says must be understood is not', () => {
  expect(verify(issuer.sign(GOOD, { crit: ['b64'], b64: false }))).toEqual({ reason: 'it is no token' });
});

test('no text makes the check throw, and none passes', () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
  );
  fc.assert(
    fc.property(text, (token) => {
      expect(verify(token)).toHaveProperty('reason');
    }),
    { numRuns: fuzzRuns(500) },
  );
});

test.each([
  ['no JSON', 'keys', undefined],
  ['no list of keys', '{"keys":{}}', undefined],
  ['keys of other uses and sorts', JSON.stringify({ keys: [{ ...issuer.jwk, use: 'enc' }, { kty: 'oct', k: 'AA' }, null] }), 0],
])('a set with %s has no key', (_, text, count) => {
  expect(KeySet.parse(text)?.count).toBe(count);
});

test.each([
  ['a text', 'sub', 'alice'],
  ['a number', 'uid', '7'],
  ['a claim of an object', 'org.team', 'red'],
  ['a claim whose name has a dot', 'https://x.example/org', 'blue'],
  ['an empty one', 'none', undefined],
  ['an object', 'org', undefined],
  ['what every object has', 'constructor', undefined],
])('%s as a claim', (_, name, value) => {
  const claims = { sub: 'alice', uid: 7, org: { team: 'red' }, 'https://x.example/org': 'blue', none: '' };
  expect(claimText(claims, name)).toBe(value);
});

describe('the identity', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'jwks-'));
  const file = path.join(folder, 'jwks.json');
  afterAll(() => rmSync(folder, { recursive: true }));
  const settings: JwtSettings = { source: 'jwt', ...RULES, jwksFile: file, clientClaim: 'sub', tenantClaim: 'org' };
  let now = NOW;

  function identity(claims: readonly string[] = []) {
    const changes: { keys: number; problems: readonly Problem[] }[] = [];
    const made = new JwtIdentity(
      settings,
      claims,
      (count, problems) => changes.push({ keys: count, problems }),
      () => now,
    );
    const ask = (token: string | undefined) =>
      made.identify({ header: () => token } as Partial<RequestFacts> as RequestFacts, 'chat') as VerifiedClient & {
        status?: number;
      };
    return { made, ask, changes };
  }

  test('names client, tenant and the claims that limits count by', () => {
    writeFileSync(file, keySet(issuer));
    const { made, ask } = identity(['plan']);
    expect(made.start()).toEqual([]);
    const found = ask(`Bearer ${issuer.sign({ ...GOOD, org: 'red', plan: 'gold' })}`);
    expect(found).toEqual({ id: 'alice', tenant: 'red', keyName: undefined, claims: new Map([['plan', 'gold']]) });
    made.stop();
  });

  test.each([
    ['no token', undefined, 'Bearer'],
    ['another scheme', 'Basic YTpi', 'Bearer'],
    ['a bad token', 'Bearer a.b.c', 'Bearer error="invalid_token"'],
    ['a token without the claim', `Bearer ${issuer.sign({ ...GOOD, sub: undefined })}`, 'Bearer error="invalid_token"'],
  ])('%s is 401', (_, token, challenge) => {
    writeFileSync(file, keySet(issuer));
    const { made, ask } = identity();
    made.start();
    expect(ask(token)).toMatchObject({ status: 401, headers: expect.arrayContaining(['www-authenticate', challenge]) });
    made.stop();
  });

  test('a token that was verified once still ends at its time', () => {
    writeFileSync(file, keySet(issuer));
    const { made, ask } = identity();
    made.start();
    const token = `Bearer ${issuer.sign(GOOD)}`;
    now = NOW;
    expect([ask(token).id, ask(token).id]).toEqual(['alice', 'alice']);
    now = NOW + 629;
    expect(ask(token).id).toBe('alice');
    now = NOW + 630;
    expect(ask(token).status).toBe(401);
    now = NOW;
    made.stop();
  });

  test('keys rotate while it runs: a key that is gone proves nothing, and a broken file changes nothing', async () => {
    writeFileSync(file, keySet(issuer));
    const { made, ask, changes } = identity();
    made.start();
    const next = new TokenIssuer(RULES.issuer, 'EdDSA');
    const [old, young] = [issuer, next].map((one) => `Bearer ${one.sign(GOOD)}`);
    expect([ask(old).id, ask(young).status]).toEqual(['alice', 401]);
    writeFileSync(file, keySet(issuer, next));
    await eventually('both keys', async () => ask(young).id === 'alice' && ask(old).id === 'alice');
    writeFileSync(file, keySet(next));
    await eventually('the new key alone', async () => ask(old).status === 401);
    writeFileSync(file, '{"keys":');
    await eventually('the broken file', async () => changes.at(-1)?.problems.length === 1);
    expect([changes.at(-1)?.problems[0]?.code, ask(young).id]).toEqual(['AIG530', 'alice']);
    made.stop();
  });

  test.each([
    ['not there', undefined, /cannot be read/],
    ['no key set', 'keys', /no JSON Web Key Set/],
    ['without a key that can be used', '{"keys":[]}', /no key of the set can be used/],
  ])('does not start with a file that is %s', (_, text, what) => {
    rmSync(file, { force: true });
    if (text !== undefined) writeFileSync(file, text);
    expect(identity().made.start()).toMatchObject([{ code: 'AIG530', what: expect.stringMatching(what) }]);
  });
});
