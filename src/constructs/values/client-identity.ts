import { refuse } from '../internal/errors';
import type { INamedObject, SecretReference } from './secret-reference';

/** Where the keys of a JWT issuer are and what to take from its tokens. */
export interface JwtIdentityOptions {
  /** The `iss` claim, and where the keys are looked up unless `jwksUri` says so. */
  readonly issuer: string;
  /** Accepted `aud` claims. @default - any audience */
  readonly audiences?: string[];
  /** Address of the issuer's keys. @default - `<issuer>/.well-known/jwks.json` */
  readonly jwksUri?: string;
  /**
   * The issuer's JSON Web Key Set in a Secret: the picker then verifies the tokens itself, in every attach mode, and asks no issuer. Needs
   * `audiences`.
   * @default - the gateway or the proxy of sidecar mode verifies them, with the keys of `jwksUri`
   */
  readonly keySet?: SecretReference;
  /** Claim that names the client. @default 'sub' */
  readonly clientClaim?: string;
  /** Claim that names the tenant a client belongs to. @default - none */
  readonly tenantClaim?: string;
}

/** How the caller is known. What depends on a client (limits, access lists) is refused without one. */
export class ClientIdentity {
  /**
   * API keys in a Secret: each entry is a client, its name the client's id, its value the bare key.
   * @param secret the Secret, in the namespace of the gateway construct
   */
  public static apiKeys(secret: INamedObject): ClientIdentity {
    if (typeof secret !== 'object' || secret === null || typeof secret.name !== 'string') {
      refuse(undefined, {
        code: 'AIG490',
        what: 'API keys come from a Secret, never from a literal',
        allowed: 'a Secret object or { name }',
        fix: "put the keys into a Secret and pass ClientIdentity.apiKeys({ name: 'client-keys' })",
      });
    }
    return new ClientIdentity('apiKeys', secret.name, undefined);
  }

  /** JSON Web Tokens in `authorization: Bearer …`. */
  public static jwt(options: JwtIdentityOptions): ClientIdentity {
    if (!/^https?:\/\//.test(options.issuer)) {
      refuse(undefined, {
        code: 'AIG491',
        what: 'the issuer of a JWT is a URL',
        value: options.issuer,
        allowed: 'https://… (http://… inside the cluster)',
        fix: 'give the value of the `iss` claim',
      });
    }
    if (options.keySet !== undefined && (options.audiences ?? []).length === 0) {
      refuse(undefined, {
        code: 'AIG491',
        what: 'the picker accepts tokens for a known audience only: one for anybody else would pass',
        fix: 'list the audiences beside keySet',
      });
    }
    return new ClientIdentity('jwt', undefined, options);
  }

  private constructor(
    /** `apiKeys` or `jwt`. */
    public readonly kind: string,
    /** Name of the Secret with the keys. */
    public readonly secretName: string | undefined,
    public readonly jwtOptions: JwtIdentityOptions | undefined,
  ) {}
}
