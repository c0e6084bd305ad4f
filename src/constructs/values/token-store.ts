import { refuse } from '../internal/errors';
import type { INamedObject, SecretReference } from './secret-reference';

/** How to reach a Redis or Valkey that several pickers count in together. */
export interface RedisOptions {
  /** DNS name or IPv4 address. */
  readonly host: string;
  /** Port of the store. @default 6379 */
  readonly port?: number;
  /** Whether the store speaks TLS. @default false */
  readonly tls?: boolean;
  /** Authorities that may have signed the store's certificate, in PEM. Needs `tls`. @default - public ones */
  readonly caCertificate?: SecretReference;
  /** Secret of type `kubernetes.io/tls` with the certificate that the picker shows. Needs `tls`. @default - none */
  readonly clientCertificate?: INamedObject;
  /** User of the access list. @default - the default user */
  readonly username?: string;
  /** Secret in the namespace of the picker. @default - no password */
  readonly password?: SecretReference;
}

/** Where budgets are counted. */
export class TokenStore {
  /** In the picker's memory: exact for one picker, and so there is only one. */
  public static memory(): TokenStore {
    return new TokenStore(undefined);
  }

  /** In a Redis or Valkey: exact for any number of pickers. */
  public static redis(options: RedisOptions): TokenStore {
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i.test(options.host)) {
      refuse(undefined, {
        code: 'AIG494',
        what: 'this is no host name',
        value: options.host,
        allowed: 'a DNS name or an IPv4 address, without a port',
        fix: "for example TokenStore.redis({ host: 'redis.databases.svc.cluster.local' })",
      });
    }
    if ((options.caCertificate ?? options.clientCertificate) !== undefined && options.tls !== true) {
      refuse(undefined, {
        code: 'AIG494',
        what: 'certificates mean nothing to a store that is asked in the clear',
        value: options.host,
        fix: 'set tls: true, or leave caCertificate and clientCertificate out',
      });
    }
    return new TokenStore(options);
  }

  private constructor(
    /** Undefined for memory. */
    public readonly redisOptions: RedisOptions | undefined,
  ) {}
}

/** What a limit does while the shared store does not answer. */
export class StoreFailure {
  /** Refuse requests with 503. */
  public static readonly CLOSED = new StoreFailure('closed');
  /** Let requests pass uncounted. */
  public static readonly OPEN = new StoreFailure('open');
  /** Count in each picker by itself, with the limit divided by the number of replicas. */
  public static readonly LOCAL = new StoreFailure('local');

  private constructor(
    /** As the picker's policy spells it. */
    public readonly name: 'closed' | 'open' | 'local',
  ) {}
}
