import { createPublicKey, type JsonWebKey, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';

/** How a signature of one algorithm is verified (RFC 7518, 3.1; RFC 8037, 3.1). */
interface Algorithm {
  readonly keyType: string;
  readonly curves?: readonly string[];
  readonly hash: string | undefined;
}

/** Those with a public key; `none` and the ones with a shared secret are no proof of an issuer. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', { keyType: 'RSA', hash: 'sha256' }],
  ['RS384', { keyType: 'RSA', hash: 'sha384' }],
  ['RS512', { keyType: 'RSA', hash: 'sha512' }],
  ['ES256', { keyType: 'EC', curves: ['P-256'], hash: 'sha256' }],
  ['ES384', { keyType: 'EC', curves: ['P-384'], hash: 'sha384' }],
  ['EdDSA', { keyType: 'OKP', curves: ['Ed25519'], hash: undefined }],
]);

const MIN_RSA_BITS = 2048;
/** A token that names no key is tried with at most so many. */
const MAX_TRIED_KEYS = 4;

interface IssuerKey {
  readonly id: string | undefined;
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
}

/** The public keys of an issuer (RFC 7517). */
export class KeySet {
  private constructor(private readonly keys: readonly IssuerKey[]) {}

  /** @returns the keys that can be used, and how many cannot; undefined for a text that is no key set */
  public static parse(text: string): { keys: KeySet; count: number; unusable: number } | undefined {
    let set: { keys?: unknown };
    try {
      set = JSON.parse(text) as { keys?: unknown };
    } catch {
      return undefined;
    }
    if (typeof set !== 'object' || set === null || !Array.isArray(set.keys)) return undefined;
    const keys = set.keys.map(readKey).filter((key) => key !== undefined);
    return { keys: new KeySet(keys), count: keys.length, unusable: set.keys.length - keys.length };
  }

  /** True when a key of the issuer has signed the bytes with this algorithm. */
  public verifies(algorithm: string, keyId: string | undefined, signed: Buffer, signature: Buffer): boolean {
    const method = ALGORITHMS.get(algorithm);
    if (method === undefined) return false;
    let tried = 0;
    for (const { id, algorithms, key } of this.keys) {
      if (!algorithms.includes(algorithm) || (keyId !== undefined && id !== keyId)) continue;
      if (++tried > MAX_TRIED_KEYS) return false;
      // RFC 7518, 3.4: the two numbers one after the other, not as DER
      const how: VerifyKeyObjectInput = { key, dsaEncoding: 'ieee-p1363' };
      if (verify(method.hash, signed, how, signature)) return true;
    }
    return false;
  }
}

function readKey(entry: unknown): IssuerKey | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { kid, alg, use, kty, crv } = entry as Record<string, unknown>;
  if (use !== undefined && use !== 'sig') return undefined;
  const fitting = [...ALGORITHMS].filter(
    ([name, { keyType, curves }]) =>
      keyType === kty && (curves === undefined || curves.includes(String(crv))) && (alg === undefined || alg === name),
  );
  if (fitting.length === 0) return undefined;
  try {
    const key = createPublicKey({ key: entry as JsonWebKey, format: 'jwk' });
    if (kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return undefined;
    return { id: typeof kid === 'string' ? kid : undefined, algorithms: fitting.map(([name]) => name), key };
  } catch {
    return undefined;
  }
}
