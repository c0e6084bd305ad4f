import { ENTRY_TAG, LIST_TAG, mapEntry, type Range, STRING_TAG } from './metadata';
import { WireReader } from './wire-reader';

/** `metadata_context.filter_metadata["envoy.lb.subset_hint"]["x-gateway-destination-endpoint-subset"]`, endpoint picker protocol. */
const NAMESPACE = Buffer.from('envoy.lb.subset_hint');
const KEY = Buffer.from('x-gateway-destination-endpoint-subset');

/**
 * The endpoints (`ip:port` or bare `ip`) that the proxy allows; undefined when it names none. A list of strings or one string with
 * commas. A hint of another kind allows no endpoint: to ignore it would send requests where the proxy forbids. @throws WireError
 */
export function subsetHint(bytes: Buffer, start: number, end: number): readonly string[] | undefined {
  if (end === start) return undefined;
  const struct = mapEntry(bytes, { start, end }, NAMESPACE);
  if (struct === undefined) return undefined;
  const value = mapEntry(bytes, struct, KEY);
  if (value === undefined) return undefined;
  const endpoints: string[] = [];
  readValue(bytes, value, endpoints);
  return endpoints;
}

/**
 * google.protobuf.Value: a string, or a list of strings. Lists inside the list are not followed: no proxy sends them, and nesting
 * must not cost stack.
 */
function readValue(bytes: Buffer, value: Range, endpoints: string[], isEntry = false): void {
  const reader = new WireReader().over(bytes, value.start, value.end);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === STRING_TAG) {
      const end = reader.delimited();
      addEndpoints(bytes.toString('utf8', reader.at, end), endpoints);
      reader.at = end;
    } else if (tag === LIST_TAG && !isEntry) {
      const end = reader.delimited();
      readList(bytes, { start: reader.at, end }, endpoints);
      reader.at = end;
    } else reader.skip(tag);
  }
}

function readList(bytes: Buffer, list: Range, endpoints: string[]): void {
  const reader = new WireReader().over(bytes, list.start, list.end);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== ENTRY_TAG) {
      reader.skip(tag);
      continue;
    }
    const end = reader.delimited();
    readValue(bytes, { start: reader.at, end }, endpoints, true);
    reader.at = end;
  }
}

function addEndpoints(text: string, endpoints: string[]): void {
  for (const entry of text.split(',')) {
    const endpoint = entry.trim();
    if (endpoint !== '') endpoints.push(endpoint);
  }
}
