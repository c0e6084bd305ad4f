import { WireReader } from './wire-reader';

/** `metadata_context.filter_metadata["envoy.lb.subset_hint"]["x-gateway-destination-endpoint-subset"]`, endpoint picker protocol. */
const NAMESPACE = Buffer.from('envoy.lb.subset_hint');
const KEY = Buffer.from('x-gateway-destination-endpoint-subset');

const ENTRY_TAG = (1 << 3) | 2;
const MAP_KEY_TAG = (1 << 3) | 2;
const MAP_VALUE_TAG = (2 << 3) | 2;
const STRING_TAG = (3 << 3) | 2;
const LIST_TAG = (6 << 3) | 2;

interface Range {
  readonly start: number;
  readonly end: number;
}

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

/** The value of the last entry under a key. Metadata.filter_metadata and Struct.fields are both maps in field 1. */
function mapEntry(bytes: Buffer, map: Range, key: Buffer): Range | undefined {
  const reader = new WireReader().over(bytes, map.start, map.end);
  let found: Range | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== ENTRY_TAG) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.end;
    reader.end = reader.delimited();
    let matches = false;
    let value: Range = { start: reader.end, end: reader.end };
    for (let field = reader.tag(); field !== 0; field = reader.tag()) {
      if (field !== MAP_KEY_TAG && field !== MAP_VALUE_TAG) {
        reader.skip(field);
        continue;
      }
      const end = reader.delimited();
      if (field === MAP_KEY_TAG) matches = key.compare(bytes, reader.at, end) === 0;
      else value = { start: reader.at, end };
      reader.at = end;
    }
    reader.end = outer;
    if (matches) found = value;
  }
  return found;
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
