import type { AttachMode } from './attach-mode';

/** Cross-origin rules for browsers that call the API. */
export interface CorsPlan {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

/** Whose tokens a gateway verifies, and in what headers it tells the picker who the client is. */
export interface JwtPlan {
  readonly issuer: string;
  /** Empty for any audience. */
  readonly audiences: readonly string[];
  readonly jwksUri: string;
  readonly claimHeaders: readonly { readonly claim: string; readonly header: string }[];
  /** Below it nobody is let in without a token. */
  readonly pathPrefix: string;
}

/** A budget of tokens that the gateway itself enforces. */
export interface TokenLimitPlan {
  readonly name: string;
  /** Tokens per window. */
  readonly amount: number;
  readonly windowSeconds: number;
  readonly weights: { readonly input: number; readonly output: number; readonly cached: number };
  /** What it is counted per; `name` is that of a header or claim. */
  readonly key: { readonly source: string; readonly name: string | undefined };
  /** Undefined for all. */
  readonly models: readonly string[] | undefined;
}

/** Why a gateway cannot enforce a limit. */
export interface TokenLimitFault {
  readonly what: string;
  readonly value: string | number;
  readonly allowed: string;
}

/** The Service of a picker, as a gateway reaches it. */
export interface PickerPlan {
  readonly serviceName: string;
  readonly namespace: string | undefined;
  readonly port: number;
  /** True when the picker speaks TLS with a certificate that nobody can verify. */
  readonly secure: boolean;
}

/** One rule of the model route. */
export interface RulePlan {
  /** Unique in the namespace of the route: policies are named after it. */
  readonly name: string;
  /** Where the rule sends its requests. */
  readonly backend: {
    readonly kind: 'InferencePool' | 'Service';
    readonly name: string;
    readonly namespace: string | undefined;
    /** Only of a Service. */
    readonly port: number | undefined;
  };
  /** The picker that the gateway itself asks; undefined in sidecar mode, where the proxy asks it. */
  readonly picker: PickerPlan | undefined;
}

/** Everything that is known of a gateway when its objects are made. Seconds throughout. */
export interface GatewayPlan {
  readonly gatewayName: string;
  readonly gatewayNamespace: string | undefined;
  /** False for a Gateway that somebody else made: nothing may be attached to it as a whole. */
  readonly ownsGateway: boolean;
  readonly routeName: string;
  readonly routeNamespace: string | undefined;
  readonly attach: AttachMode;
  readonly rules: readonly RulePlan[];
  readonly longestAnswerSeconds: number;
  /** Longest silence on a stream: time to the first token, and the gap between two. */
  readonly streamIdleSeconds: number;
  /** Attempts after the first one; they walk the picker's fallback list. */
  readonly retries: number;
  /** Request headers that no client may set. */
  readonly controlHeaders: readonly string[];
  readonly cors: CorsPlan | undefined;
  /** Tokens that the gateway itself verifies; undefined where it does not, or where somebody behind it does. */
  readonly jwt: JwtPlan | undefined;
  /** Empty where the picker enforces all. */
  readonly tokenLimits: readonly TokenLimitPlan[];
  readonly clusterDomain: string;
}

/** An object that an implementation needs beside the standard ones. */
export interface PlannedObject {
  /** Construct id below the gateway, unique for the implementation. */
  readonly id: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly annotations?: { readonly [key: string]: string };
  /** Everything but apiVersion, kind and metadata. */
  readonly body: { readonly [field: string]: unknown };
  /** Why it is there, in one line. */
  readonly why: string;
}

/** Pods of the gateway, for NetworkPolicies. */
export interface PodSelectorPlan {
  /** @default - every pod of the namespaces */
  readonly podLabels?: { readonly [key: string]: string };
  /** `{}` is every namespace. */
  readonly namespaceLabels?: { readonly [key: string]: string };
}
