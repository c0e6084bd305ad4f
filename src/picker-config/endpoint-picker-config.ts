import { stringify } from 'yaml';
import { formatDurationMs, formatQuantity } from './units';

/**
 * llm-d's configuration of an endpoint picker (`kind: EndpointPickerConfig`), as its v0.10 reads it. Defaults are filled in, deprecated
 * spellings are moved to their successors.
 */
export interface EndpointPickerConfig {
  readonly featureGates: FeatureGates;
  /** Every plugin instance, in the order of the file. */
  readonly plugins: readonly PluginSpec[];
  /** Empty when the file names none: the picker then uses its own default. */
  readonly schedulingProfiles: readonly SchedulingProfileSpec[];
  readonly dataLayer: DataLayerSpec;
  /** Only in force with the gate `flowControl`, except `saturationDetector`. */
  readonly flowControl: FlowControlSpec;
  /** Names of parser instances; empty for the default parsers. */
  readonly parsers: readonly string[];
}

export interface FeatureGates {
  /** Queueing by priority. @default false */
  readonly flowControl: boolean;
  /** @default true */
  readonly haPopulateNonLeaderDatastore: boolean;
}

export interface PluginSpec {
  /** @default the type */
  readonly name: string;
  readonly type: string;
  /** For the plugin to check. @default none */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface SchedulingProfileSpec {
  readonly name: string;
  readonly plugins: readonly ProfilePluginSpec[];
}

export interface ProfilePluginSpec {
  /** Name of a plugin instance. */
  readonly pluginRef: string;
  /** Only for scorers. @default 1 */
  readonly weight?: number;
}

export interface DataLayerSpec {
  /** Add the default metrics source and extractor where no source is named. @default true */
  readonly injectDefaults: boolean;
  readonly sources: readonly DataSourceSpec[];
  /** Instance that finds the endpoints. @default Kubernetes */
  readonly discovery?: string;
  /** Instance that finds the picker's other replicas. @default none */
  readonly peerDiscovery?: string;
  /** @default none */
  readonly crossReplicaSyncer?: string;
  readonly crossReplicaSyncIntervalMs?: number;
}

export interface DataSourceSpec {
  readonly pluginRef: string;
  /** Names of extractor instances. */
  readonly extractors: readonly string[];
}

export interface FlowControlSpec {
  /** 0 is no limit. @default 0 */
  readonly maxBytes: number;
  /** 0 is no limit. @default 0 */
  readonly maxRequests: number;
  /** 0 waits for ever. @default 60,000 */
  readonly defaultRequestTtlMs: number;
  /** @default the same as defaultRequestTtlMs */
  readonly noEndpointRequestTtlMs: number;
  /** Template of bands that are not listed. */
  readonly defaultPriorityBand?: PriorityBandSpec;
  /** Template of bands below 0 that are not listed. */
  readonly defaultNegativePriorityBand?: PriorityBandSpec;
  readonly priorityBands: readonly PriorityBandSpec[];
  readonly usageLimitPolicy?: string;
  readonly saturationDetector?: string;
  /** @default false */
  readonly enableEviction: boolean;
}

export interface PriorityBandSpec {
  /** Higher goes first. @default 0 */
  readonly priority: number;
  /** @default 1,000,000,000 */
  readonly maxBytes: number;
  /** @default 5,000 */
  readonly maxRequests: number;
  readonly fairnessPolicy?: string;
  readonly orderingPolicy?: string;
}

export const CONFIG_KIND = 'EndpointPickerConfig';
export const CONFIG_API_VERSION = 'llm-d.ai/v1alpha1';
/** Accepted with a warning: the group before the move to llm-d. */
export const DEPRECATED_CONFIG_API_VERSION = 'inference.networking.x-k8s.io/v1alpha1';

export const DEFAULT_FLOW_CONTROL: FlowControlSpec = {
  maxBytes: 0,
  maxRequests: 0,
  defaultRequestTtlMs: 60_000,
  noEndpointRequestTtlMs: 60_000,
  priorityBands: [],
  enableEviction: false,
};

export const DEFAULT_BAND_MAX_BYTES = 1_000_000_000;
export const DEFAULT_BAND_MAX_REQUESTS = 5_000;

/** A configuration that says nothing. */
export const EMPTY_ENDPOINT_PICKER_CONFIG: EndpointPickerConfig = {
  featureGates: { flowControl: false, haPopulateNonLeaderDatastore: true },
  plugins: [],
  schedulingProfiles: [],
  dataLayer: { injectDefaults: true, sources: [] },
  flowControl: DEFAULT_FLOW_CONTROL,
  parsers: [],
};

/** YAML that parses back to the same configuration: keys in a fixed order, values that equal their default left out. */
export function formatEndpointPickerConfig(config: EndpointPickerConfig): string {
  const { featureGates: gates } = config;
  return stringify(
    withoutEmpty({
      apiVersion: CONFIG_API_VERSION,
      kind: CONFIG_KIND,
      featureGates: [
        ...(gates.flowControl ? ['flowControl'] : []),
        ...(gates.haPopulateNonLeaderDatastore ? [] : ['haPopulateNonLeaderDatastore=false']),
      ],
      plugins: config.plugins.map((plugin) => ({
        ...(plugin.name === plugin.type ? {} : { name: plugin.name }),
        type: plugin.type,
        ...(plugin.parameters === undefined ? {} : { parameters: plugin.parameters }),
      })),
      schedulingProfiles: config.schedulingProfiles.map(({ name, plugins }) => ({
        name,
        plugins: plugins.map(({ pluginRef, weight }) => (weight === undefined ? { pluginRef } : { pluginRef, weight })),
      })),
      dataLayer: dataLayerKeys(config.dataLayer),
      flowControl: flowControlKeys(config.flowControl),
      requestHandler: withoutEmpty({ parsers: config.parsers.map(reference) }),
    }),
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function dataLayerKeys(dataLayer: DataLayerSpec): Record<string, unknown> {
  return withoutEmpty({
    injectDefaults: dataLayer.injectDefaults ? undefined : false,
    sources: dataLayer.sources.map(({ pluginRef, extractors }) => ({ pluginRef, extractors: extractors.map(reference) })),
    discovery: dataLayer.discovery === undefined ? undefined : reference(dataLayer.discovery),
    peerDiscovery: dataLayer.peerDiscovery === undefined ? undefined : reference(dataLayer.peerDiscovery),
    crossReplicaSyncerPluginRef: dataLayer.crossReplicaSyncer,
    crossReplicaSyncInterval: optional(dataLayer.crossReplicaSyncIntervalMs, formatDurationMs),
  });
}

function flowControlKeys(flow: FlowControlSpec): Record<string, unknown> {
  const ttlMs = flow.defaultRequestTtlMs;
  return withoutEmpty({
    maxBytes: flow.maxBytes === 0 ? undefined : formatQuantity(flow.maxBytes),
    maxRequests: flow.maxRequests === 0 ? undefined : formatQuantity(flow.maxRequests),
    defaultRequestTTL: ttlMs === DEFAULT_FLOW_CONTROL.defaultRequestTtlMs ? undefined : formatDurationMs(ttlMs),
    noEndpointRequestTTL: flow.noEndpointRequestTtlMs === ttlMs ? undefined : formatDurationMs(flow.noEndpointRequestTtlMs),
    defaultPriorityBand: optional(flow.defaultPriorityBand, bandKeys),
    defaultNegativePriorityBand: optional(flow.defaultNegativePriorityBand, bandKeys),
    priorityBands: flow.priorityBands.map(bandKeys),
    usageLimitPolicyPluginRef: flow.usageLimitPolicy,
    saturationDetector: optional(flow.saturationDetector, reference),
    enableEviction: flow.enableEviction ? true : undefined,
  });
}

function bandKeys(band: PriorityBandSpec): Record<string, unknown> {
  return withoutEmpty({
    priority: band.priority,
    maxBytes: band.maxBytes === DEFAULT_BAND_MAX_BYTES ? undefined : formatQuantity(band.maxBytes),
    maxRequests: band.maxRequests === DEFAULT_BAND_MAX_REQUESTS ? undefined : formatQuantity(band.maxRequests),
    fairnessPolicyRef: band.fairnessPolicy,
    orderingPolicyRef: band.orderingPolicy,
  });
}

function reference(pluginRef: string): { pluginRef: string } {
  return { pluginRef };
}

function optional<T, R>(value: T | undefined, show: (value: T) => R): R | undefined {
  return value === undefined ? undefined : show(value);
}

/** Without keys that are undefined, an empty list or an empty mapping. */
function withoutEmpty(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(keys).filter(
      ([, value]) => value !== undefined && (typeof value !== 'object' || Object.keys(value!).length > 0),
    ),
  );
}
