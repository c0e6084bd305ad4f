import { refuse } from '../internal/errors';

/** Who guarantees that a header is true. */
export interface TrustedHeaderOptions {
  /** Who overwrites or removes the client's own copy: shown in the manifest, for whoever reviews it. */
  readonly setBy: string;
}

/** What a budget is counted per. */
export class RateLimitKey {
  /** The verified client. Needs `identity` on the gateway. */
  public static client(): RateLimitKey {
    return new RateLimitKey('client', undefined, undefined);
  }

  /** The verified tenant of the client. Needs `identity` with a tenant claim. */
  public static tenant(): RateLimitKey {
    return new RateLimitKey('tenant', undefined, undefined);
  }

  /** A claim of a verified JWT. Needs `ClientIdentity.jwt`. */
  public static jwtClaim(name: string): RateLimitKey {
    return new RateLimitKey('claim', name, undefined);
  }

  /** The API key. Needs `ClientIdentity.apiKeys`. */
  public static apiKey(): RateLimitKey {
    return new RateLimitKey('apiKey', undefined, undefined);
  }

  /** The model asked for. */
  public static model(): RateLimitKey {
    return new RateLimitKey('model', undefined, undefined);
  }

  /** One budget for everything. */
  public static everything(): RateLimitKey {
    return new RateLimitKey('all', undefined, undefined);
  }

  /**
   * A header that something in front of the gateway sets and that no client can.
   * @throws AIG492 without saying who sets it: a header that a client may choose is no key
   */
  public static trustedHeader(name: string, options: TrustedHeaderOptions): RateLimitKey {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(name)) {
      refuse(undefined, { code: 'AIG492', what: 'this is no header name', value: name, fix: 'use letters, digits and dashes' });
    }
    if (name.toLowerCase() === 'authorization') {
      refuse(undefined, {
        code: 'AIG492',
        what: 'the authorization header is a credential, not a key: it would be stored with every counter',
        value: name,
        fix: 'verify it with ClientIdentity.apiKeys or .jwt and use RateLimitKey.client()',
      });
    }
    if (options?.setBy === undefined || options.setBy.trim() === '') {
      refuse(undefined, {
        code: 'AIG492',
        what: `nothing says who sets the header ${name}: a client could choose its own budget`,
        allowed: "RateLimitKey.trustedHeader(name, { setBy: 'the load balancer' }) or RateLimitKey.client()",
        fix: 'say who overwrites the client’s copy, or use a verified identity',
      });
    }
    return new RateLimitKey('header', name.toLowerCase(), options.setBy);
  }

  private constructor(
    /** `client`, `tenant`, `claim`, `apiKey`, `model`, `all` or `header`. */
    public readonly source: 'client' | 'tenant' | 'claim' | 'apiKey' | 'model' | 'all' | 'header',
    /** Name of the claim or header. */
    public readonly name: string | undefined,
    /** Who sets a trusted header. */
    public readonly setBy: string | undefined,
  ) {}

  /** True when a client must be verified before the key means anything. */
  public get needsIdentity(): boolean {
    return ['client', 'tenant', 'claim', 'apiKey'].includes(this.source);
  }
}
