import { refuse } from '../internal/errors';
import type { INamedObject } from './secret-reference';

/** A certificate from a Secret of another namespace. */
export interface SecretCertificateOptions {
  /** Namespace of the Secret; a ReferenceGrant is made there. @default - the Gateway's */
  readonly namespace?: string;
}

/** A certificate that cert-manager keeps. */
export interface CertManagerOptions {
  /** Name of the issuer. */
  readonly issuer: string;
  /** `ClusterIssuer` or `Issuer`. @default 'ClusterIssuer' */
  readonly issuerKind?: string;
  /** Names on the certificate. @default - the listener's hostname */
  readonly dnsNames?: string[];
  /** Secret that cert-manager writes. @default - `<gateway>-<listener>-tls` */
  readonly secretName?: string;
}

/** Where a listener's certificate comes from. */
export class ListenerCertificate {
  /** A Secret of type kubernetes.io/tls. */
  public static secret(secret: INamedObject, options: SecretCertificateOptions = {}): ListenerCertificate {
    if (typeof secret?.name !== 'string') {
      refuse(undefined, {
        code: 'AIG476',
        what: 'a certificate is in a Secret, never a literal',
        allowed: 'a Secret object or { name }',
        fix: "pass ListenerCertificate.secret({ name: 'ai-gateway-cert' })",
      });
    }
    return new ListenerCertificate(secret.name, options.namespace, undefined);
  }

  /** A Certificate object for cert-manager, in the Gateway's namespace. */
  public static certManager(options: CertManagerOptions): ListenerCertificate {
    return new ListenerCertificate(options.secretName, undefined, options);
  }

  private constructor(
    /** Undefined when it follows from the listener. */
    public readonly secretName: string | undefined,
    public readonly namespace: string | undefined,
    public readonly certManagerOptions: CertManagerOptions | undefined,
  ) {}
}

/** A port for plain HTTP. */
export interface HttpListenerOptions {
  /** Port of the Gateway. @default 80 */
  readonly port?: number;
  /** Name of the listener. @default 'http' */
  readonly name?: string;
  /** Host that the listener answers for, a leading `*.` allowed. @default - all */
  readonly hostname?: string;
}

/** A port for HTTPS. */
export interface HttpsListenerOptions {
  /** Certificate that the Gateway shows. */
  readonly certificate: ListenerCertificate;
  /** Port of the Gateway. @default 443 */
  readonly port?: number;
  /** Name of the listener. @default 'https' */
  readonly name?: string;
  /** Host that the listener answers for, a leading `*.` allowed. @default - all */
  readonly hostname?: string;
}

/** A port of the gateway. */
export class GatewayListener {
  /** Plain HTTP. */
  public static http(options: HttpListenerOptions = {}): GatewayListener {
    return new GatewayListener('HTTP', options.name ?? 'http', options.port ?? 80, options.hostname, undefined);
  }

  /** TLS ends at the gateway. */
  public static https(options: HttpsListenerOptions): GatewayListener {
    return new GatewayListener('HTTPS', options.name ?? 'https', options.port ?? 443, options.hostname, options.certificate);
  }

  private constructor(
    /** `HTTP` or `HTTPS`. */
    public readonly protocol: string,
    public readonly name: string,
    public readonly port: number,
    public readonly hostname: string | undefined,
    public readonly certificate: ListenerCertificate | undefined,
  ) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      refuse(undefined, {
        code: 'AIG477',
        what: `listener ${name} has no valid port`,
        value: port,
        allowed: '1 to 65535',
        fix: 'change the port',
      });
    }
  }
}
