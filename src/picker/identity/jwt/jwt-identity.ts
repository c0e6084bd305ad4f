import { hash, randomBytes } from 'node:crypto';
import { ConfigCode } from '../../../picker-config/codes';
import type { JwtIdentity as JwtSettings } from '../../../picker-config/picker-policy';
import type { Problem } from '../../../shared/problem';
import type { RejectDecision, RequestFacts } from '../../ext-proc/director';
import { rejection } from '../../ext-proc/rejection';
import type { RequestApi } from '../../openai/request-api';
import { readText, WatchedFiles } from '../../server/watched-file';
import { bearer } from '../bearer';
import type { Identity, VerifiedClient } from '../identity';
import { KeySet } from './key-set';
import { type Claims, claimText, verifyToken } from './token';

/** A change of the keys counts within a second. */
const POLL_INTERVAL_MS = 400;
/** Tokens that were verified and need not be again; a signature costs 30 to 100 µs. */
const MAX_REMEMBERED = 20_000;

interface Remembered {
  readonly client: VerifiedClient;
  readonly notAfterSeconds: number;
  readonly notBeforeSeconds: number;
}

/** Verifies JSON Web Tokens against a file with the issuer's keys, which it watches. */
export class JwtIdentity implements Identity {
  public readonly credentialHeaders: readonly string[] = ['authorization'];
  private keys: KeySet | undefined;
  private watched: WatchedFiles | undefined;
  /** By digest with a secret of this process: what is known of tokens must not be a list of them. */
  private readonly remembered = new Map<string, Remembered>();
  private readonly secret = randomBytes(32).toString('base64');

  /**
   * @param claims further ones that limits count by
   * @param onChange told of keys that cannot be used, after every change
   */
  public constructor(
    private readonly settings: JwtSettings,
    private readonly claims: readonly string[],
    private readonly onChange: (keys: number, problems: readonly Problem[]) => void,
    private readonly nowSeconds: () => number = () => Date.now() / 1e3,
  ) {}

  /** Reads the keys and watches them. @returns why none can be read */
  public start(): readonly Problem[] {
    const read = this.read();
    if (read.keys === undefined) return read.problems;
    this.keys = read.keys;
    if (read.problems.length > 0) this.onChange(read.count, read.problems);
    this.watched = new WatchedFiles([this.settings.jwksFile], () => this.reload(), POLL_INTERVAL_MS);
    return [];
  }

  public stop(): void {
    this.watched?.close();
  }

  public identify(request: RequestFacts, api: RequestApi): VerifiedClient | RejectDecision {
    const token = bearer(request.header('authorization'));
    if (token === undefined) {
      return rejection(api, 'Unauthorized', "there is no token: send it as 'authorization: Bearer …'", 'unauthorized-no-token', [
        'www-authenticate',
        'Bearer',
      ]);
    }
    const now = this.nowSeconds();
    const digest = hash('sha256', this.secret + token, 'base64');
    const known = this.remembered.get(digest);
    if (known !== undefined && known.notBeforeSeconds <= now && now < known.notAfterSeconds) return known.client;
    const verified = verifyToken(token, this.keys!, this.settings, now);
    if ('reason' in verified) return this.refuse(api, verified.reason);
    const client = this.clientOf(verified.claims);
    if (client === undefined) return this.refuse(api, `it has no claim '${this.settings.clientClaim}'`);
    this.remember(digest, client, verified.claims);
    return client;
  }

  private clientOf(claims: Claims): VerifiedClient | undefined {
    const { clientClaim, tenantClaim } = this.settings;
    const id = claimText(claims, clientClaim);
    if (id === undefined) return undefined;
    const tenant = tenantClaim === undefined ? undefined : claimText(claims, tenantClaim);
    const client = { id, tenant, keyName: undefined };
    if (this.claims.length === 0) return client;
    return { ...client, claims: new Map(this.claims.map((name) => [name, claimText(claims, name) ?? ''])) };
  }

  private remember(digest: string, client: VerifiedClient, claims: Claims): void {
    // the oldest goes first: Map keeps the order of insertion
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.delete(this.remembered.keys().next().value!);
    const skew = this.settings.clockSkewSeconds;
    const notBeforeSeconds = typeof claims['nbf'] === 'number' ? claims['nbf'] - skew : Number.NEGATIVE_INFINITY;
    this.remembered.set(digest, { client, notAfterSeconds: (claims['exp'] as number) + skew, notBeforeSeconds });
  }

  private refuse(api: RequestApi, reason: string): RejectDecision {
    const challenge = ['www-authenticate', 'Bearer error="invalid_token"'];
    return rejection(api, 'Unauthorized', `the token is refused: ${reason}`, 'unauthorized-bad-token', challenge);
  }

  private reload(): void {
    const { keys, count, problems } = this.read();
    if (keys !== undefined) {
      this.keys = keys;
      // a key that is gone proves nothing any more
      this.remembered.clear();
    }
    this.onChange(count, problems);
  }

  private read(): { keys: KeySet | undefined; count: number; problems: readonly Problem[] } {
    const where = this.settings.jwksFile;
    const fault = (what: string, fix: string): Problem => ({ code: ConfigCode.UNUSABLE_FILE, what, fix, where });
    const file = readText(where);
    if ('error' in file) {
      const problem = fault(`the issuer's keys cannot be read: ${file.error}`, 'mount the file with the key set');
      return { keys: undefined, count: 0, problems: [problem] };
    }
    const parsed = KeySet.parse(file.text);
    if (parsed === undefined || parsed.count === 0) {
      const what = parsed === undefined ? 'the file is no JSON Web Key Set' : 'no key of the set can be used';
      return { keys: undefined, count: 0, problems: [fault(what, 'give public keys for RS256, ES256 or EdDSA')] };
    }
    const { keys, count, unusable } = parsed;
    const some = fault(`${unusable} keys of the set cannot be used`, 'give public keys for RS256, ES256 or EdDSA');
    return { keys, count, problems: unusable > 0 ? [some] : [] };
  }
}
