import { WireReader } from './wire-reader';

export const ENTRY_TAG = (1 << 3) | 2;
const MAP_KEY_TAG = (1 << 3) | 2;
const MAP_VALUE_TAG = (2 << 3) | 2;
export const STRING_TAG = (3 << 3) | 2;
const STRUCT_TAG = (5 << 3) | 2;
export const LIST_TAG = (6 << 3) | 2;

/** Bytes of a message. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * A text of `metadata_context.filter_metadata[namespace]`; undefined when there is none. @throws WireError
 * @param key field of the struct; `a.b` is field `b` of the struct in field `a`, unless a field has the whole name
 */
export function metadataText(bytes: Buffer, namespace: string, key: string): string | undefined {
  const struct = mapEntry(bytes, { start: 0, end: bytes.length }, Buffer.from(namespace));
  return struct === undefined ? undefined : fieldText(bytes, struct, key);
}

function fieldText(bytes: Buffer, struct: Range, key: string): string | undefined {
  const whole = mapEntry(bytes, struct, Buffer.from(key));
  const text = whole === undefined ? undefined : part(bytes, whole, STRING_TAG);
  if (text !== undefined) return bytes.toString('utf8', text.start, text.end);
  const dot = key.indexOf('.');
  const outer = dot < 0 ? undefined : mapEntry(bytes, struct, Buffer.from(key.slice(0, dot)));
  const inner = outer === undefined ? undefined : part(bytes, outer, STRUCT_TAG);
  return inner === undefined ? undefined : fieldText(bytes, inner, key.slice(dot + 1));
}

/** The last part of a google.protobuf.Value under a tag. */
function part(bytes: Buffer, value: Range, wanted: number): Range | undefined {
  const reader = new WireReader().over(bytes, value.start, value.end);
  let found: Range | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== wanted) {
      reader.skip(tag);
      continue;
    }
    const end = reader.delimited();
    found = { start: reader.at, end };
    reader.at = end;
  }
  return found;
}

/** The value of the last entry under a key. Metadata.filter_metadata and Struct.fields are both maps in field 1. */
export function mapEntry(bytes: Buffer, map: Range, key: Buffer): Range | undefined {
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
