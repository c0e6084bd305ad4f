import { ConfigDocument } from '../../picker-config/config-document';
import type { ConfigFields, ConfigNode, NumberBounds } from '../../picker-config/config-node';
import type { Problem } from '../../shared/problem';
import { followReports } from '../scheduling/flight-book';
import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import { TrustKeeper, type TrustOptions } from '../scheduling/trust';

/** What is assumed of one endpoint. A field that is left out is that of an idle one. */
export interface EndpointState {
  readonly name: string;
  readonly namespace: string | undefined;
  /** Given with `port` and `labels` by the debug page of a running picker. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** @default true */
  readonly ready: boolean;
  /** Milliseconds since its last report; null for never. @default 0 */
  readonly reportAgeMs: number | null;
  readonly numbers: Readonly<Partial<Record<StateColumn, number>>>;
  readonly adapters:
    | { readonly max: number; readonly running: readonly string[]; readonly waiting: readonly string[] }
    | undefined;
  /** Files with requests that it has answered before, whose prompts it has cached. */
  readonly served: readonly string[];
  /** `file:line:column`. */
  readonly where: string;
}

type StateColumn = keyof typeof COLUMNS;

/** Columns of the endpoint table that a state may set, and what they may be. */
const COLUMNS = {
  waiting: { min: 0 },
  running: { min: 0 },
  kvUsageRatio: { min: 0, max: 1 },
  kvBlocks: { min: 0 },
  blockSizeTokens: { min: 0 },
  inFlight: { min: 0 },
  peerInFlight: { min: 0 },
  prefillTokens: { min: 0 },
  promptTokensInFlight: { min: 0 },
  outputTokensInFlight: { min: 0 },
  slownessRatio: { min: 0 },
  gpuUsageRatio: { min: 0, max: 1 },
} as const satisfies Partial<Record<keyof EndpointTable, NumberBounds>>;

const COLUMN_NAMES = Object.keys(COLUMNS) as StateColumn[];
const OWN_KEYS = ['name', 'namespace', 'address', 'port', 'labels', 'ready', 'reportAgeMs', 'adapters', 'served'];
/** On `/debug/endpoints`, and of no use here: worked out anew, or only of interest while it runs. */
const IGNORED_KEYS = ['slot', 'hostPort', 'uid', 'podName', 'nodeAddress', 'atOnce', 'trustRatio', 'scrapes', 'scrapeFailures'];

/**
 * Parses the state of endpoints: `endpoints: [{name, waiting?, running?, kvUsageRatio?, …}]` as YAML or JSON. What `/debug/endpoints` of
 * a picker answers is such a file.
 */
export function parseEndpointState(
  text: string,
  file: string,
): { readonly states: readonly EndpointState[]; readonly problems: readonly Problem[] } {
  const document = new ConfigDocument(text, file);
  const fields = document.root?.fields(['endpoints', 'version']);
  const list = fields?.required('endpoints', 'list the endpoints, or write [] for none')?.list();
  const states = list?.flatMap((node) => parseState(node) ?? []) ?? [];
  return { states, problems: document.problems };
}

function parseState(node: ConfigNode): EndpointState | undefined {
  const fields = node.fields([...OWN_KEYS, ...COLUMN_NAMES, ...IGNORED_KEYS]);
  const name = fields?.required('name', 'name the endpoint, for example as explain without a state does')?.text();
  if (fields === undefined || name === undefined) return undefined;
  const numbers = COLUMN_NAMES.flatMap((column): [StateColumn, number][] => {
    // null is how the debug page says unknown
    const value = fields.isNull(column) ? undefined : fields.get(column)?.number(COLUMNS[column]);
    return value === undefined ? [] : [[column, value]];
  });
  return {
    name,
    namespace: fields.get('namespace')?.text(),
    address: fields.get('address')?.text(),
    port: fields.get('port')?.integer({ min: 1, max: 65_535 }),
    labels: texts(fields.get('labels')?.entries()),
    ready: fields.get('ready')?.boolean() ?? true,
    reportAgeMs: reportAge(fields),
    numbers: Object.fromEntries(numbers),
    adapters: adapters(fields.get('adapters')),
    served:
      fields
        .get('served')
        ?.list()
        ?.flatMap((entry) => entry.text() ?? []) ?? [],
    where: node.where,
  };
}

/** `reportAgeMs: null` is how the debug page says never, and a missing key means now. */
function reportAge(fields: ConfigFields): number | null {
  if (fields.isNull('reportAgeMs')) return null;
  return fields.get('reportAgeMs')?.number({ min: 0 }) ?? 0;
}

function texts(entries: ReadonlyMap<string, ConfigNode> | undefined): Record<string, string> | undefined {
  if (entries === undefined) return undefined;
  return Object.fromEntries(
    [...entries].flatMap(([key, node]): [string, string][] => {
      const text = node.text();
      return text === undefined ? [] : [[key, text]];
    }),
  );
}

function adapters(node: ConfigNode | undefined): EndpointState['adapters'] {
  const fields = node?.fields(['max', 'running', 'waiting']);
  if (fields === undefined) return undefined;
  const names = (key: string): string[] =>
    fields
      .get(key)
      ?.list()
      ?.flatMap((entry) => entry.text() ?? []) ?? [];
  return { max: fields.get('max')?.integer({ min: 0 }) ?? 0, running: names('running'), waiting: names('waiting') };
}

/**
 * Puts states into the table, as two reports in a row that say the same: with the first alone the picker takes waiting requests for
 * newcomers.
 * @param stateOf state of the endpoint in a slot; undefined for an idle one
 */
export function applyStates(
  snapshot: EndpointSnapshot,
  stateOf: (slot: number) => EndpointState | undefined,
  nowMs: number,
  trust: TrustOptions,
): void {
  const { table, endpoints } = snapshot;
  for (const newest of [false, true]) {
    endpoints.forEach((endpoint, slot) => {
      if (endpoint === undefined) return;
      const state = stateOf(slot);
      const ageMs = state === undefined ? 0 : state.reportAgeMs;
      if (ageMs !== null) table.updatedAtMs[slot] = nowMs - ageMs - (newest ? 0 : 1);
      for (const [column, value] of Object.entries(state?.numbers ?? {})) table[column as StateColumn][slot] = value;
      if (state?.numbers.slownessRatio !== undefined) table.measuredAtMs[slot] = nowMs;
      if (state?.numbers.gpuUsageRatio !== undefined) table.gpuUpdatedAtMs[slot] = nowMs;
      const { adapters: loaded } = state ?? {};
      if (loaded !== undefined) table.setAdapters(slot, loaded.max, loaded.running, loaded.waiting);
    });
    followReports(snapshot, nowMs);
  }
  new TrustKeeper(trust).refresh(snapshot, nowMs);
}
