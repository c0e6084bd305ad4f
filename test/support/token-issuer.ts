import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type TokenAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

/** Somebody who issues JSON Web Tokens. */
export class TokenIssuer {
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  public constructor(
    public readonly url = 'https://issuer.example',
    private readonly algorithm: TokenAlgorithm = 'ES256',
    public readonly keyId = `key-of-${algorithm}`,
  ) {
    const pair =
      algorithm === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : algorithm === 'ES256'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('ed25519');
    this.privateKey = pair.privateKey;
    this.publicKey = pair.publicKey;
  }

  /** As an entry of a key set. */
  public get jwk(): Record<string, unknown> {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.keyId, use: 'sig', alg: this.algorithm };
  }

  /** @param head changes of the header */
  public sign(claims: object, head: object = {}): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: this.algorithm, typ: 'JWT', kid: this.keyId, ...head })}.${part(claims)}`;
    const hash = this.algorithm === 'EdDSA' ? null : 'sha256';
    return `${text}.${sign(hash, Buffer.from(text), { key: this.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

export const keySet = (...issuers: readonly TokenIssuer[]): string => JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) });
