import { inFlightAt } from '../flight-book';
import type { EndpointTable } from '../interface/endpoint-table';
import type { PluginParameters } from '../plugin-parameters';

/** Reads one number of an endpoint; NaN where it is not known. */
export type AttributeReader = (table: EndpointTable, slot: number) => number;

const scraped =
  (column: 'waiting' | 'running' | 'kvUsageRatio'): AttributeReader =>
  (table, slot) =>
    table.updatedAtMs[slot] === 0 ? Number.NaN : table[column][slot]!;

/** Attributes of endpoints by the names that configurations use: what engines report, and what this picker sees itself. */
export const ENDPOINT_ATTRIBUTES: ReadonlyMap<string, AttributeReader> = new Map<string, AttributeReader>([
  ['num_requests_waiting', scraped('waiting')],
  ['num_requests_running', scraped('running')],
  ['kv_cache_usage_perc', scraped('kvUsageRatio')],
  [
    'GPUUtilization/dcgm-extractor',
    (table, slot) => (table.gpuUpdatedAtMs[slot] === 0 ? Number.NaN : table.gpuUsageRatio[slot]!),
  ],
  ['in_flight_requests', inFlightAt],
  ['in_flight_prompt_tokens', (table, slot) => table.promptTokensInFlight[slot]! + table.peerPromptTokens[slot]!],
  ['decode_ms_per_token', (table, slot) => table.decodeMsPerToken[slot]! || Number.NaN],
  ['slowness_ratio', (table, slot) => table.slownessRatio[slot]! || Number.NaN],
]);

const NAMES = [...ENDPOINT_ATTRIBUTES.keys()] as const;

/** The attribute that a parameter names; attributes that other plugins of llm-d publish are refused. */
export function attributeReader(parameters: PluginParameters, key: string): AttributeReader {
  parameters.requiredText(key);
  const name = parameters.value(key) === undefined ? NAMES[0]! : parameters.oneOf(key, NAMES, NAMES[0]!);
  return ENDPOINT_ATTRIBUTES.get(name)!;
}
