/** A pool as the proxy reaches it. */
export interface BootstrapPool {
  /** Also the name of the cluster, and the value of the header that chooses it. */
  readonly name: string;
  /** DNS name of the headless Service whose records are the pool's ready pods. */
  readonly host: string;
  readonly ports: readonly number[];
  /** True when the engines speak TLS. */
  readonly tls: boolean;
  /** File with the key that the engines ask for. @default - they ask for none */
  readonly apiKeyFile?: string;
}

/** Whose tokens the proxy verifies, and what it takes from them. */
export interface BootstrapJwt {
  readonly issuer: string;
  /** Empty for any audience. */
  readonly audiences: readonly string[];
  /** http or https URL of the issuer's key set. */
  readonly jwksUri: string;
  /** Claim → request header that the picker reads. */
  readonly claimHeaders: readonly { readonly claim: string; readonly header: string }[];
}

/** What the proxy of sidecar mode needs to know. Seconds throughout. */
export interface BootstrapInput {
  readonly pools: readonly BootstrapPool[];
  readonly longestAnswerSeconds: number;
  readonly streamIdleSeconds: number;
  readonly retries: number;
  /** Request headers of clients that are removed before any filter sees them. */
  readonly controlHeaders: readonly string[];
  /** @default - no tokens are asked for */
  readonly jwt?: BootstrapJwt;
  /** @default '0.0.0.0' */
  readonly listenAddress?: string;
  /** @default 8080 */
  readonly listenPort?: number;
  /** Readiness and metrics. @default 19001 */
  readonly statusPort?: number;
  /** On loopback. @default 19000 */
  readonly adminPort?: number;
  /** The picker's ext_proc port, on loopback. @default 9002 */
  readonly pickerPort?: number;
}

export const LISTEN_PORT = 8080;
export const STATUS_PORT = 19001;

/** Header that names the cluster. Only the picker can set it: clients' copies are removed on the way in. */
export const POOL_HEADER = 'x-aig-pool';
