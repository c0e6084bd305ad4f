import type { WireWriter } from './wire-writer';

/** Field numbers of the `response` oneof in envoy.service.ext_proc.v3.ProcessingResponse. */
export enum Reply {
  RequestHeaders = 1,
  ResponseHeaders = 2,
  RequestBody = 3,
  ResponseBody = 4,
  RequestTrailers = 5,
  ResponseTrailers = 6,
  Immediate = 7,
}

/** Envoy refuses larger pieces: its limit is 64 KiB with the message around them. */
export const MAX_PIECE_BYTES = 62_000;

export const DESTINATION_HEADER = 'x-gateway-destination-endpoint';
const DESTINATION_NAMESPACE = 'envoy.lb';

/** Dynamic metadata: namespace, then key, then a text or number. */
export type DynamicMetadata = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** A message without content, which means: go on, change nothing. */
export function emptyReply(reply: Reply): Buffer {
  return Buffer.from([(reply << 3) | 2, 0]);
}

/** Changes to a header map: names and values in turn, and names to remove. Envoy removes before it sets. */
export interface HeaderChanges {
  readonly set: readonly string[];
  readonly remove: readonly string[];
}

/** What a routed request's reply carries beside its header changes. */
export interface RouteReply {
  readonly reply: Reply.RequestHeaders | Reply.RequestBody;
  readonly destination: string;
  readonly changes: HeaderChanges;
  /** Bytes of a whole body that replaces the received one, sent behind what was written; -1 without one. */
  readonly bodyBytes: number;
}

/** The reply that carries the decision, in `envoy.lb` metadata and in headers, and clears the route cache. */
export function writeRouteReply(writer: WireWriter, route: RouteReply): void {
  writer.reset();
  const outside = Math.max(0, route.bodyBytes);
  // bytes that follow must end the message: CommonResponse.body_mutation.body is written last
  if (route.bodyBytes >= 0) {
    writer.close(1, 0, outside);
    writer.close(3, 0, outside);
  }
  writer.byte(1);
  writer.tag(5, 0);
  const mutation = writer.length;
  writeChanges(writer, route.changes);
  writeSetHeader(writer, DESTINATION_HEADER, route.destination);
  writer.close(2, mutation);
  writer.close(1, 0, outside);
  writer.close(route.reply, 0, outside);
  const metadata = writer.length;
  const value = writer.length;
  const endpoint = writer.length;
  writer.text(3, route.destination);
  writer.close(2, endpoint);
  writer.text(1, DESTINATION_HEADER);
  writer.close(1, value);
  writer.close(5, value);
  writer.close(2, value);
  writer.text(1, DESTINATION_NAMESPACE);
  writer.close(1, value);
  writer.close(8, metadata);
}

/** `HeadersResponse` or `BodyResponse` with header changes and, in a body reply, `bodyBytes` that follow; -1 leaves the body alone. */
export function writeChangesReply(writer: WireWriter, reply: Reply, changes: HeaderChanges, bodyBytes: number): void {
  writer.reset();
  const outside = Math.max(0, bodyBytes);
  if (bodyBytes >= 0) {
    writer.close(1, 0, outside);
    writer.close(3, 0, outside);
  }
  const mutation = writer.length;
  writeChanges(writer, changes);
  if (writer.length > mutation) writer.close(2, mutation);
  writer.close(1, 0, outside);
  writer.close(reply, 0, outside);
}

/** Everything of a streamed body piece before its bytes (FULL_DUPLEX_STREAMED). */
export function writePiece(
  writer: WireWriter,
  reply: Reply.RequestBody | Reply.ResponseBody,
  bodyBytes: number,
  endOfStream: boolean,
): void {
  writer.reset();
  writer.varint(bodyBytes);
  writer.tag(1, 2);
  if (endOfStream) {
    writer.byte(1);
    writer.tag(2, 0);
  }
  writer.close(3, 0, bodyBytes);
  writer.close(3, 0, bodyBytes);
  writer.close(1, 0, bodyBytes);
  writer.close(reply, 0, bodyBytes);
}

/** Adds dynamic metadata to the message being written. */
export function writeMetadata(writer: WireWriter, metadata: DynamicMetadata): void {
  const start = writer.length;
  for (const [namespace, fields] of Object.entries(metadata)) {
    const entry = writer.length;
    for (const [key, value] of Object.entries(fields)) {
      const field = writer.length;
      if (typeof value === 'number') writer.double(2, value);
      else writer.text(3, value);
      writer.close(2, field);
      writer.text(1, key);
      writer.close(1, field);
    }
    writer.close(5, entry);
    writer.close(2, entry);
    writer.text(1, namespace);
    writer.close(1, entry);
  }
  writer.close(8, start);
}

/** An answer to the client from the picker; `details` shows up in Envoy's access log. */
export function writeImmediateReply(
  writer: WireWriter,
  status: number,
  headers: readonly string[],
  body: Buffer,
  details: string,
): void {
  writer.reset();
  writer.text(5, details);
  const start = writer.length;
  writer.raw(body);
  writer.close(3, start);
  const mutation = writer.length;
  writeChanges(writer, { set: headers, remove: [] });
  writer.close(2, mutation);
  const code = writer.length;
  writer.varint(status);
  writer.tag(1, 0);
  writer.close(1, code);
  writer.close(Reply.Immediate, 0);
}

function writeChanges(writer: WireWriter, changes: HeaderChanges): void {
  for (let index = changes.remove.length - 1; index >= 0; index--) writer.text(2, changes.remove[index]!);
  for (let index = changes.set.length - 2; index >= 0; index -= 2)
    writeSetHeader(writer, changes.set[index]!, changes.set[index + 1]!);
}

/** `raw_value` because Envoy reads only that; an explicit action because the default appends. */
function writeSetHeader(writer: WireWriter, name: string, value: string): void {
  const start = writer.length;
  writer.byte(OVERWRITE_IF_EXISTS_OR_ADD);
  writer.tag(3, 0);
  const header = writer.length;
  writer.text(3, value);
  writer.text(1, name);
  writer.close(1, header);
  writer.close(1, start);
}
