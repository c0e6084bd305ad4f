/** The fields of Envoy Gateway's kinds that are emitted; checked against its CRD schemas in the tests. */
export interface LocalPolicyTarget {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

export interface CircuitBreaker {
  readonly maxConnections: number;
  readonly maxParallelRequests: number;
  readonly maxPendingRequests: number;
}

export interface EnvoyExtensionPolicySpec {
  readonly targetRefs: readonly LocalPolicyTarget[];
  readonly extProc: readonly {
    readonly backendRefs: readonly { readonly name: string; readonly namespace?: string; readonly port: number }[];
    readonly backendSettings: { readonly circuitBreaker: CircuitBreaker };
    readonly failOpen: boolean;
    readonly statusOnError: number;
    readonly processingMode: { readonly request: { readonly body: string }; readonly response: { readonly body: string } };
    readonly metadata: { readonly accessibleNamespaces: readonly string[]; readonly writableNamespaces: readonly string[] };
  }[];
}

export interface BackendTrafficPolicySpec {
  readonly targetRefs: readonly LocalPolicyTarget[];
  readonly circuitBreaker: CircuitBreaker;
  readonly timeout: { readonly http: { readonly requestTimeout: string; readonly streamIdleTimeout: string } };
  readonly loadBalancer?: {
    readonly type: string;
    readonly endpointOverride: { readonly extractFrom: readonly { readonly header: string }[] };
  };
  readonly rateLimit?: { readonly global: { readonly rules: readonly GlobalRateLimitRule[] } };
  readonly retry?: { readonly numRetries: number; readonly retryOn: { readonly triggers: readonly string[] } };
}

/** A rule of a global rate limit that is charged by metadata. */
export interface GlobalRateLimitRule {
  readonly clientSelectors: readonly { readonly headers: readonly { readonly name: string; readonly type: 'Distinct' }[] }[];
  /** `requests` is the amount of whatever `cost` counts. */
  readonly limit: { readonly requests: number; readonly unit: string };
  readonly cost: {
    readonly request: { readonly from: 'Number'; readonly number: number };
    readonly response: { readonly from: 'Metadata'; readonly metadata: { readonly namespace: string; readonly key: string } };
  };
  readonly shared: boolean;
}

export interface SecurityPolicySpec {
  readonly targetRefs: readonly LocalPolicyTarget[];
  readonly jwt: {
    readonly providers: readonly {
      readonly name: string;
      readonly issuer: string;
      readonly audiences?: readonly string[];
      readonly remoteJWKS: { readonly uri: string };
      readonly claimToHeaders: readonly { readonly claim: string; readonly header: string }[];
    }[];
  };
}

export interface ClientTrafficPolicySpec {
  readonly targetRefs: readonly LocalPolicyTarget[];
  readonly headers: { readonly earlyRequestHeaders: { readonly remove: readonly string[] } };
  readonly timeout: { readonly http: { readonly streamIdleTimeout: string } };
}

export interface EnvoyProxySpec {
  readonly bootstrap: { readonly type: 'Merge'; readonly value: string };
}
