import { X509Certificate } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { GO_CIPHER_SUITES, opensslCiphers } from '../../../../src/picker/server/cipher-suites';
import { readMaterial, selfSignedMaterial } from '../../../../src/picker/server/tls-material';
import { WatchedFiles } from '../../../../src/picker/server/watched-file';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picker-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a file that is written again, swapped by a link or comes into being is a change; a file at rest is none', async () => {
  const path = join(folder, 'f');
  let changes = 0;
  const watched = new WatchedFiles([path], () => changes++, 5);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(changes).toBe(0);
  writeFileSync(path, 'a');
  await until(() => changes === 1);
  expect(changes).toBe(1);
  // as a mounted ConfigMap changes
  writeFileSync(join(folder, 'v2'), 'b');
  symlinkSync(join(folder, 'v2'), join(folder, 'link'));
  unlinkSync(path);
  renameSync(join(folder, 'link'), path);
  await until(() => changes >= 2);
  expect(changes).toBeGreaterThanOrEqual(2);
  watched.close();
});

test('the certificate made at start fits its key and names the host', async () => {
  const { key, cert } = await selfSignedMaterial();
  const parsed = new X509Certificate(cert);
  expect(parsed.checkHost('localhost')).toBe('localhost');
  expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  expect(Date.parse(parsed.validTo) - Date.now()).toBeGreaterThan(9 * 365 * 86_400_000);
  writeFileSync(join(folder, 'tls.crt'), cert);
  writeFileSync(join(folder, 'tls.key'), key);
  expect(readMaterial(folder, 'cert-path')).toEqual({ key, cert });
});

test('every fault of a mounted certificate is found', async () => {
  const first = await selfSignedMaterial();
  const second = await selfSignedMaterial();
  const whats = (): string[] => {
    const result = readMaterial(folder, 'cert-path');
    return 'problems' in result ? result.problems.map(({ what }) => what) : [];
  };
  expect(whats()).toEqual([expect.stringContaining('ENOENT'), expect.stringContaining('ENOENT')]);
  writeFileSync(join(folder, 'tls.crt'), 'no certificate');
  writeFileSync(join(folder, 'tls.key'), 'no key');
  expect(whats()).toEqual(['tls.crt is not a PEM certificate', 'tls.key is not a PEM private key']);
  writeFileSync(join(folder, 'tls.crt'), first.cert);
  writeFileSync(join(folder, 'tls.key'), second.key);
  expect(whats()).toEqual(['tls.key is not the key of tls.crt']);
});

test('every Go suite has a name that OpenSSL takes', () => {
  expect(GO_CIPHER_SUITES.length).toBe(6);
  for (const suite of GO_CIPHER_SUITES)
    expect(() => tls.createSecureContext({ ciphers: opensslCiphers([suite])! })).not.toThrow();
  expect(opensslCiphers([])).toBeUndefined();
  expect(() => opensslCiphers(['TLS_RSA_WITH_RC4_128_SHA'])).toThrow('TLS_RSA_WITH_RC4_128_SHA');
});
