import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RequestFacts } from '../../../../src/picker/ext-proc/director';
import { readKeyDirectory } from '../../../../src/picker/identity/api-key-directory';
import { ApiKeyIdentity } from '../../../../src/picker/identity/api-key-identity';
import { HeaderIdentity } from '../../../../src/picker/identity/header-identity';
import { formatProblem, type Problem } from '../../../../src/shared/problem';

const ALICE = 'alice-key-0123456789';
const request = (headers: Record<string, string>): RequestFacts => ({
  id: 1,
  header: (name) => headers[name],
  method: 'POST',
  path: '/v1/chat/completions',
  body: undefined,
  scanned: undefined,
  subset: undefined,
});

describe('a directory of API keys', () => {
  let folder: string;
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  const files = (): { keys: unknown; problems: string[] } => {
    const { keys, problems } = readKeyDirectory(folder);
    return { keys, problems: problems.map(formatProblem) };
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'keys-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('holds one file a client; further lines are further keys, and what Kubernetes keeps beside is left alone', () => {
    write('alice', `${ALICE}\n`);
    write('bob', 'bob-key-0123456789ab\r\nbob-next-0123456789\n\n');
    write('.hidden', 'x');
    mkdirSync(path.join(folder, '..2026_01_01'));
    expect(files()).toEqual({
      keys: [
        { client: 'alice', key: ALICE },
        { client: 'bob', key: 'bob-key-0123456789ab' },
        { client: 'bob', key: 'bob-next-0123456789' },
      ],
      problems: [],
    });
  });

  test('says which keys do not count, all at once, and never a key', () => {
    write('alice', ALICE);
    write('empty', '\n');
    write('short', 'tiny');
    write('spaces', 'a key with some spaces');
    write('thief', ALICE);
    const { keys, problems } = files();
    expect(keys).toEqual([]);
    expect(problems.map((text) => text.replace(folder, ''))).toEqual([
      expect.stringContaining("the API key of client 'empty' is empty"),
      expect.stringContaining("an API key of client 'short' is too short"),
      expect.stringContaining("an API key of client 'spaces' cannot be sent in a header"),
      expect.stringContaining("clients 'alice' and 'thief' have the same API key"),
    ]);
    expect(problems.join()).not.toMatch(/tiny|some spaces|alice-key/);
  });

  test('is watched as Kubernetes changes it: by a link', async () => {
    const version = (name: string, clients: Record<string, string>): void => {
      mkdirSync(path.join(folder, name));
      for (const [client, key] of Object.entries(clients)) writeFileSync(path.join(folder, name, client), key);
      symlinkSync(name, path.join(folder, '..tmp'));
      renameSync(path.join(folder, '..tmp'), path.join(folder, '..data'));
    };
    version('..1', { alice: ALICE });
    symlinkSync('..data/alice', path.join(folder, 'alice'));
    const seen: [number, readonly Problem[]][] = [];
    const identity = new ApiKeyIdentity(folder, 'authorization', (keys, problems) => seen.push([keys, problems]), 10);
    expect(identity.start()).toEqual([]);
    const ask = (key: string): unknown => identity.identify(request({ authorization: `Bearer ${key}` }), 'chat');
    expect(ask(ALICE)).toMatchObject({ id: 'alice', keyName: expect.stringMatching(/^alice\/[0-9a-f]{12}$/) });
    version('..2', { alice: 'alice-next-0123456789' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ask(ALICE)).toMatchObject({ kind: 'reject', status: 401 });
    expect(ask('alice-next-0123456789')).toMatchObject({ id: 'alice' });
    expect(seen).toEqual([[1, []]]);
    rmSync(folder, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ask('alice-next-0123456789')).toMatchObject({ id: 'alice' });
    expect(seen[1]![1]).toMatchObject([{ code: 'AIG530' }]);
    identity.stop();
  });

  test('must be there at the start', () => {
    const identity = new ApiKeyIdentity(path.join(folder, 'none'), 'authorization', () => undefined);
    expect(identity.start()).toMatchObject([{ code: 'AIG530', where: path.join(folder, 'none') }]);
  });

  test.each([
    ['a bearer token', { authorization: `Bearer ${ALICE}` }, 'alice'],
    ['a scheme in any case', { authorization: `bearer  ${ALICE}` }, 'alice'],
    ['a bare key', { authorization: ALICE }, 'alice'],
    ["Anthropic's header", { 'x-api-key': ALICE }, 'alice'],
    ['another scheme', { authorization: `Basic ${ALICE}` }, undefined],
    ['a key with more behind it', { authorization: `Bearer ${ALICE}x` }, undefined],
    ['the beginning of a key', { authorization: `Bearer ${ALICE.slice(0, -1)}` }, undefined],
    ['no key behind the scheme', { authorization: 'Bearer ' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_, headers, client) => {
    write('alice', ALICE);
    const identity = new ApiKeyIdentity(folder, 'authorization', () => undefined);
    identity.start();
    const found = identity.identify(request(headers), 'chat');
    identity.stop();
    if (client !== undefined) expect(found).toMatchObject({ id: client });
    else expect(found).toMatchObject({ kind: 'reject', status: 401, headers: expect.arrayContaining(['www-authenticate']) });
  });
});

test('the gateway’s word is taken where it gives one, and nobody’s where it does not', () => {
  const identity = new HeaderIdentity('x-aig-client-id', 'x-aig-tenant');
  expect(identity.identify(request({ 'x-aig-client-id': 'alice', 'x-aig-tenant': 'red' }), 'chat')).toEqual({
    id: 'alice',
    tenant: 'red',
    keyName: undefined,
  });
  expect(identity.identify(request({ 'x-aig-tenant': 'red' }), 'chat')).toMatchObject({ kind: 'reject', status: 401 });
  expect(identity.credentialHeaders).toEqual(['x-aig-client-id', 'x-aig-tenant']);
});
