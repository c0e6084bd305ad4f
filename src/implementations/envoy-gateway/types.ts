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
  readonly retry?: { readonly numRetries: number; readonly retryOn: { readonly triggers: readonly string[] } };
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
