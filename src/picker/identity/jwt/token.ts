import type { KeySet } from './key-set';

/** What a token must say. */
export interface TokenRules {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** How far the clocks of issuer and picker may differ. */
  readonly clockSkewSeconds: number;
}

export type Claims = Readonly<Record<string, unknown>>;

/** Longer ones are not looked at: their verification would cost more than a request. */
const MAX_LENGTH = 16_384;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Verifies a token (RFC 7519, 7.2): a signature of the issuer, and claims that hold now. The reason never says more of the token than
 * whoever sent it knows.
 */
export function verifyToken(
  token: string,
  keys: KeySet,
  rules: TokenRules,
  nowSeconds: number,
): { readonly claims: Claims } | { readonly reason: string } {
  if (token.length > MAX_LENGTH || !COMPACT.test(token)) return { reason: 'it is no token' };
  const [head, body, signature] = token.split('.') as [string, string, string];
  const header = decoded(head);
  // RFC 7515, 4.1.11: what must be understood and is not
  if (header === undefined || typeof header['alg'] !== 'string' || header['crit'] !== undefined)
    return { reason: 'it is no token' };
  const { alg, kid } = header;
  const signed = Buffer.from(token.slice(0, head.length + 1 + body.length), 'latin1');
  const keyId = typeof kid === 'string' ? kid : undefined;
  if (!keys.verifies(alg, keyId, signed, Buffer.from(signature, 'base64url')))
    return { reason: 'no key of its issuer has signed it' };
  const claims = decoded(body);
  if (claims === undefined) return { reason: 'it is no token' };
  const reason = refusal(claims, rules, nowSeconds);
  return reason === undefined ? { claims } : { reason };
}

function refusal(claims: Claims, { issuer, audiences, clockSkewSeconds: skew }: TokenRules, now: number): string | undefined {
  if (claims['iss'] !== issuer) return 'it is of another issuer';
  const { aud } = claims;
  const given = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  if (!audiences.some((audience) => given.includes(audience))) return 'it is for another audience';
  const { exp, nbf } = claims;
  if (typeof exp !== 'number') return 'it never expires';
  if (exp + skew <= now) return 'it has expired';
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf - skew > now)) return 'it is not valid yet';
  return undefined;
}

/** A claim as text. @param name `a.b` is claim `b` of the object in claim `a`, unless a claim has the whole name */
export function claimText(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  const dot = name.indexOf('.');
  if (dot < 0) return undefined;
  const outer = name.slice(0, dot);
  const inner = Object.hasOwn(claims, outer) ? claims[outer] : undefined;
  return typeof inner === 'object' && inner !== null ? claimText(inner as Claims, name.slice(dot + 1)) : undefined;
}

function decoded(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
