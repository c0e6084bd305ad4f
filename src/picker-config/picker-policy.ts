/**
 * The picker's own policy (`kind: PickerPolicy`): which pools and models there are, who the clients are, and what they may use. Kept apart
 * from llm-d's EndpointPickerConfig, which says how an endpoint of a pool is chosen.
 */
export interface PickerPolicy {
  readonly pools: readonly PolicyPool[];
  readonly models: readonly PolicyModel[];
  /** Model for requests that name none, or none that is known. @default such requests are refused */
  readonly defaultModel?: string;
  readonly classes?: PolicyClasses;
  /** @default nobody is identified */
  readonly identity?: PolicyIdentity;
  /** @default every client may use every model */
  readonly access?: PolicyAccess;
  readonly limits: readonly PolicyLimit[];
  /** Where the use of limits is counted. @default memory of this process, which a restart forgets */
  readonly store?: PolicyStore;
  readonly priorities?: PolicyPriorities;
}

export interface PolicyPool {
  readonly name: string;
  readonly endpoints: PoolEndpoints;
  /** Pool that is tried when this one has no endpoint. */
  readonly fallbackPool?: string;
}

/** Groups that an InferencePool may have: two kinds, between which nothing converts. */
export type PoolGroup = typeof DEFAULT_POOL_GROUP | typeof EXPERIMENTAL_POOL_GROUP;

export type PoolEndpoints =
  | { readonly kind: 'inferencePool'; readonly name: string; readonly namespace?: string; readonly group: string }
  | {
      readonly kind: 'selector';
      readonly matchLabels: Readonly<Record<string, string>>;
      readonly ports: readonly number[];
      readonly namespace?: string;
    }
  | { readonly kind: 'dns'; readonly host: string; readonly ports: readonly number[] }
  | { readonly kind: 'file'; readonly path: string };

export interface PolicyModel {
  /** What clients write in `model`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly targets: readonly PolicyTarget[];
  /** Higher goes first; below 0 is shed first. @default 0 */
  readonly priority: number;
  readonly adapters: readonly PolicyAdapter[];
  /** Pool that is tried when no target has an endpoint. */
  readonly fallbackPool?: string;
  /** What keeps a session at its target. @default chance chooses for each request */
  readonly stickiness?: PolicyStickiness;
}

export const STICKINESS_SOURCES = ['header', 'client'] as const;

/** What tells one session from another. */
export interface PolicyStickiness {
  /** A header that clients send, or the client that `identity` has verified. */
  readonly source: (typeof STICKINESS_SOURCES)[number];
  /** Of the header, in lower case. */
  readonly name?: string;
}

export interface PolicyTarget {
  readonly pool: string;
  /** Name that the engine serves the model under. @default the model's name */
  readonly model?: string;
  /** Share of the requests; on all targets of a model or on none. @default equal shares */
  readonly weight?: number;
}

/** A LoRA adapter that the model's engines can load. */
export interface PolicyAdapter {
  /** What clients write in `model`. */
  readonly name: string;
  /** Name that the engine serves the adapter under. @default the adapter's name */
  readonly model?: string;
}

/** A header whose value chooses the model, whatever the body says. */
export interface PolicyClasses {
  /** Lower case. */
  readonly header: string;
  /** Header value to model name. */
  readonly values: Readonly<Record<string, string>>;
}

export type PolicyIdentity =
  | {
      /** Headers that the gateway sets after it has verified the client, and overwrites when the client sends them. */
      readonly source: 'header';
      /** @default x-aig-client-id */
      readonly clientHeader: string;
      /** @default x-aig-tenant */
      readonly tenantHeader: string;
      /** Further headers that end at the picker: what the gateway has verified. @default none */
      readonly removeHeaders: readonly string[];
    }
  | MetadataIdentity
  | {
      /** Keys that the picker itself verifies. */
      readonly source: 'apiKeys';
      /** Directory with one file a client: its name is the client, its content the key. */
      readonly directory: string;
      /** @default authorization */
      readonly header: string;
    }
  | JwtIdentity;

/** Dynamic metadata of the gateway. In a key `a.b` is field `b` of the struct in field `a`. */
export interface MetadataIdentity {
  readonly source: 'metadata';
  readonly namespace: string;
  readonly clientKey: string;
  readonly tenantKey?: string;
}

/** Tokens that the picker itself verifies. In a claim `a.b` is claim `b` of the object in claim `a`. */
export interface JwtIdentity {
  readonly source: 'jwt';
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** File with the issuer's JSON Web Key Set. */
  readonly jwksFile: string;
  /** @default sub */
  readonly clientClaim: string;
  readonly tenantClaim?: string;
  /** How far the clocks of issuer and picker may differ. @default 30 */
  readonly clockSkewSeconds: number;
}

/** Which models a client may use: those of its own list and of its tenant's. A model is named by its name, an alias or an adapter's name. */
export interface PolicyAccess {
  readonly clients: Readonly<Record<string, readonly string[]>>;
  readonly tenants: Readonly<Record<string, readonly string[]>>;
  /** Of clients that neither list names. @default none */
  readonly others: readonly string[];
}

export const LIMIT_UNITS = ['tokens', 'requests', 'concurrent'] as const;
export const CALENDAR_PERIODS = ['day', 'week', 'month'] as const;
export type CalendarPeriod = (typeof CALENDAR_PERIODS)[number];
export const LIMIT_KEY_SOURCES = ['client', 'tenant', 'claim', 'apiKey', 'model', 'pool', 'all', 'header'] as const;

export const LIMIT_ENFORCERS = ['picker', 'gateway'] as const;

export interface PolicyLimitKey {
  readonly source: (typeof LIMIT_KEY_SOURCES)[number];
  /** Name of the claim or header. */
  readonly name?: string;
}

export interface PolicyLimit {
  readonly name: string;
  /** Tokens or requests in a window, or requests at one time. */
  readonly unit: (typeof LIMIT_UNITS)[number];
  readonly amount: number;
  /** Of tokens and requests, one of these: a window that slides, or one that the calendar ends. */
  readonly windowSeconds?: number;
  readonly calendarWindow?: PolicyCalendarWindow;
  readonly key: PolicyLimitKey;
  /** @default every model */
  readonly models?: readonly string[];
  /** Of tokens. */
  readonly weights: LimitWeights;
  /** Cut answers to what is left, rather than refuse requests that ask for more. Of tokens. @default false */
  readonly clamp: boolean;
  /** Count and report, but let everything pass. @default false */
  readonly shadow: boolean;
  /** When the shared store does not answer: refuse, let pass, or count in this process alone. @default closed */
  readonly onStoreFailure: 'closed' | 'open' | 'local';
  /** The gateway may count tokens itself: the picker then only tells it whose they are, and how many. @default picker */
  readonly enforcedBy?: (typeof LIMIT_ENFORCERS)[number];
}

/** A window from one turn of the calendar to the next. */
export interface PolicyCalendarWindow {
  /** Weeks begin on Monday. */
  readonly period: CalendarPeriod;
  /** A name of the IANA time zone database. @default UTC */
  readonly timeZone: string;
}

/** What one token of each kind counts. */
export interface LimitWeights {
  /** @default 1 */
  readonly input: number;
  /** @default 1 */
  readonly output: number;
  /** Input tokens that the engine had in its cache. @default the weight of input */
  readonly cached: number;
}

/** One of these. */
export interface PolicyStore {
  readonly redis?: RedisStore;
  readonly memory?: MemoryStore;
}

/** The memory of one picker. */
export interface MemoryStore {
  /** Where the counters are kept for the picker's next start. */
  readonly file: string;
}

export interface RedisStore {
  /** `host:port`. */
  readonly address: string;
  /** @default false */
  readonly tls: boolean;
  /** Authorities that may have signed the store's certificate, in PEM. @default those that Node knows */
  readonly caFile?: string;
  /** Certificate that the picker shows, in PEM, with `keyFile`. @default none */
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  /** @default 0 */
  readonly database: number;
  /** Longest that a request waits for the store. @default 10 */
  readonly timeoutMs: number;
  /** @default aig: */
  readonly keyPrefix: string;
}

/** Who goes first, who waits and who is refused when a pool is full. */
export interface PolicyPriorities {
  /** Priorities that no band is for have one of the defaults. */
  readonly bands: readonly PolicyBand[];
  /** Tenants whose requests are ranked otherwise than their models. */
  readonly tenants: readonly PolicyTenant[];
  /** Requests of all bands and pools that may wait. @default 20,000 */
  readonly maxRequests: number;
  /** Bytes of the requests that wait. @default 512 Mi */
  readonly maxBytes: number;
  readonly waitingRoom: PolicyWaitingRoom;
  readonly saturation: PolicySaturation;
  /** Whose place a request of a higher priority may take. @default queued */
  readonly evicts?: (typeof EVICTED)[number];
}

/**
 * Requests below priority 0 give up their place: while they wait, also while an engine works on them and their client has heard nothing, or
 * also in the middle of an answer.
 */
export const EVICTED = ['queued', 'unanswered', 'running'] as const;

export const BAND_FAIRNESS = ['attainedService', 'roundRobin', 'none'] as const;
export const BAND_ORDERING = ['arrival', 'deadline', 'slo'] as const;

export interface PolicyBand {
  readonly name: string;
  readonly priority: number;
  /** Requests that may wait for one pool. @default 5,000 */
  readonly maxRequests: number;
  /** Bytes of the requests that wait. @default 1,000,000,000 */
  readonly maxBytes: number;
  /** Longest wait. @default 60 */
  readonly queueSeconds: number;
  /** Between tenants: by the tokens that they have used, in turn, or none. @default attainedService */
  readonly fairness: (typeof BAND_FAIRNESS)[number];
  /** Between the requests of a tenant: by arrival, by the end of their wait, or by the time to the first token that they ask for. @default arrival */
  readonly ordering: (typeof BAND_ORDERING)[number];
  /** Saturation from which the band waits while a higher one was in use in the last minute. @default 0.9, below priority 0 0.8 */
  readonly ceiling: number;
}

/** A tenant, or a client without one, as identity says. */
export interface PolicyTenant {
  readonly name: string;
  readonly priority: number;
}

/** For requests to pools without a ready endpoint. */
export interface PolicyWaitingRoom {
  /** @default 1,000 */
  readonly maxRequests: number;
  /** Longest wait. @default 60 */
  readonly queueSeconds: number;
}

/** When an endpoint is full. */
export interface PolicySaturation {
  /** Requests in its own queue. @default 5 */
  readonly queueDepth: number;
  /** Share of its KV cache in use, 0 to 1. @default 0.95 */
  readonly kvCacheUsage: number;
}

export const POLICY_KIND = 'PickerPolicy';
export const POLICY_API_VERSION = 'cdk8s-ai-gateway.dev/v1alpha1';

export const DEFAULT_POOL_GROUP = 'inference.networking.k8s.io';
/** Group of the InferencePool before it was stable. */
export const EXPERIMENTAL_POOL_GROUP = 'inference.networking.x-k8s.io';
export const DEFAULT_CLIENT_HEADER = 'x-aig-client-id';
export const DEFAULT_TENANT_HEADER = 'x-aig-tenant';
export const DEFAULT_CLOCK_SKEW_SECONDS = 30;
export const DEFAULT_REDIS = { tls: false, database: 0, timeoutMs: 10, keyPrefix: 'aig:' } as const;
export const DEFAULT_BAND = {
  maxRequests: 5_000,
  maxBytes: 1_000_000_000,
  queueSeconds: 60,
  fairness: 'attainedService',
  ordering: 'arrival',
} as const;
export const DEFAULT_PRIORITIES: PolicyPriorities = {
  bands: [],
  tenants: [],
  maxRequests: 20_000,
  maxBytes: 512 * 2 ** 20,
  waitingRoom: { maxRequests: 1_000, queueSeconds: 60 },
  saturation: { queueDepth: 5, kvCacheUsage: 0.95 },
};

/** Saturation from which a band waits for those above it, where nothing else is said: 0.9 is busy without a queue. */
export function defaultCeiling(priority: number): number {
  return priority < 0 ? 0.8 : 0.9;
}

/** A policy that says nothing. */
export const EMPTY_PICKER_POLICY: PickerPolicy = { pools: [], models: [], limits: [] };
