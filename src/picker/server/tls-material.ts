import { createPrivateKey, X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import { readText } from './watched-file';

/** PEM. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

const VALIDITY_DAYS = 3_650;

/**
 * A key and certificate for a server whose clients do not verify it, as the endpoint picker protocol has it. P-256, because RSA-4096 (which
 * llm-d uses) takes seconds to make.
 */
export async function selfSignedMaterial(): Promise<TlsMaterial> {
  // loaded only here: most deployments mount a certificate or serve plain text
  const { generate } = await import('selfsigned');
  const now = Date.now();
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'endpoint-picker' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // clocks differ
    notBeforeDate: new Date(now - 3_600_000),
    notAfterDate: new Date(now + VALIDITY_DAYS * 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: hostname() },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key, cert };
}

export function tlsPaths(directory: string): readonly [cert: string, key: string] {
  return [join(directory, 'tls.crt'), join(directory, 'tls.key')];
}

/** `tls.crt` and `tls.key` of a directory, as a Secret of type kubernetes.io/tls is mounted; or what is wrong with them. */
export function readMaterial(directory: string, flag: string): TlsMaterial | { readonly problems: readonly Problem[] } {
  const [certPath, keyPath] = tlsPaths(directory);
  const certFile = readText(certPath);
  const keyFile = readText(keyPath);
  const problems: Problem[] = [];
  for (const [path, file] of [[certPath, certFile] as const, [keyPath, keyFile] as const]) {
    if ('error' in file)
      problems.push(unusable(`a file of --${flag} cannot be read: ${file.error}`, 'mount tls.crt and tls.key there', path));
  }
  if ('error' in certFile || 'error' in keyFile) return { problems };
  const cert = attempt(() => new X509Certificate(certFile.text));
  const key = attempt(() => createPrivateKey(keyFile.text));
  if (cert === undefined)
    problems.push(unusable('tls.crt is not a PEM certificate', 'write the certificate and its chain in PEM', certPath));
  if (key === undefined)
    problems.push(unusable('tls.key is not a PEM private key', 'write the key in PEM, without a passphrase', keyPath));
  if (cert !== undefined && key !== undefined && !cert.checkPrivateKey(key)) {
    problems.push(unusable('tls.key is not the key of tls.crt', 'write the two files of one pair', keyPath));
  }
  return problems.length > 0 ? { problems } : { key: keyFile.text, cert: certFile.text };
}

export function isCertificate(pem: string): boolean {
  return attempt(() => new X509Certificate(pem)) !== undefined;
}

function unusable(what: string, fix: string, where: string): Problem {
  return { code: ConfigCode.UNUSABLE_FILE, what, fix, where };
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
