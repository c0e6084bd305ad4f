import type { AttachMode } from './attach-mode';

/** What a construct may ask of a gateway. A feature that is not supported is refused, with `note` as the reason. */
export type Feature =
  /** HTTPRoute `timeouts.request`. */
  | 'request-timeout'
  /** HTTPRoute `timeouts.backendRequest`. */
  | 'backend-request-timeout'
  /** HTTPRoute `rules[].name`. */
  | 'rule-names'
  /** The `CORS` filter on a rule whose backend is a Service. */
  | 'cors-filter'
  /** The `CORS` filter on a rule whose backend is an InferencePool. */
  | 'cors-with-pool'
  /** A vendor's object instead of the `CORS` filter. */
  | 'cors-object'
  /** Several InferencePools with weights in one rule, each asked by its own picker. */
  | 'weighted-pools'
  /** Failure mode FailOpen of a pool. */
  | 'fail-open'
  /** Reading the model from the body in the gateway itself. */
  | 'body-routing'
  /** Ending streams that stay silent, also while the picker has not answered. */
  | 'stream-idle-timeout'
  /** Removing request headers before any filter sees them. */
  | 'early-header-removal'
  /** Verifying a client's token, and telling the picker of it in headers that no client can set. */
  | 'jwt'
  /** The same on a Gateway that somebody else made. */
  | 'jwt-on-shared-gateway'
  /** Counting tokens by itself, where a limit asks for that. */
  | 'token-limits';

/** One cell of the table. */
export interface Capability {
  readonly supported: boolean;
  /** Where that is known from: the project's file, its conformance report, or a run. */
  readonly evidence: string;
  /** What to know of it; for a feature that is not supported, the reason shown to the user. */
  readonly note?: string;
}

/** What an implementation can do, with the evidence. The attach mode and every refusal follow from it. */
export interface CapabilityTable {
  /** Short name, as in `GATEWAY=istio`. */
  readonly name: string;
  readonly displayName: string;
  /** Version that the evidence is of. */
  readonly version: string;
  readonly defaultGatewayClassName: string | undefined;
  /** `controllerName` of its GatewayClass. */
  readonly controllerName: string | undefined;
  /** Modes that work, the best one for a single pool first. With several pools it is the sidecar mode. */
  readonly attachModes: readonly AttachMode[];
  /** What the attach modes that are missing would need. */
  readonly attachNotes: { readonly [mode: string]: string };
  /** True where the picker must speak TLS in pool and extproc mode. */
  readonly pickerTls: boolean;
  /** What has to be switched on in the installation. */
  readonly installation: readonly string[];
  readonly features: { readonly [feature in Feature]: Capability };
}
