import { BodyMode, Phase } from '../../../picker/ext-proc/processing-request';
import { Reply } from '../../../picker/ext-proc/processing-response';
import { WireReader } from '../../../picker/ext-proc/wire-reader';
import { WireWriter } from '../../../picker/ext-proc/wire-writer';

/** Names in lower case and values, in order; a name may occur twice. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What a reply asks the proxy to do. Fields that do not belong to its kind are empty. */
export interface PickerReply {
  readonly kind: Reply | 0;
  readonly set: HeaderList;
  readonly remove: readonly string[];
  /** Piece of a body; or the body of an immediate answer. */
  readonly body: Buffer;
  readonly endOfStream: boolean;
  /** Status of an immediate answer. */
  readonly status: number;
}

const writer = new WireWriter();

/** `ProcessingRequest` with headers; the first of a stream tells the body modes, as Envoy does. */
export function headersMessage(phase: Phase, headers: HeaderList, endOfStream: boolean): Buffer {
  writer.reset();
  if (phase === Phase.RequestHeaders) {
    const config = writer.length;
    for (const field of [2, 1]) {
      writer.varint(BodyMode.FullDuplexStreamed);
      writer.tag(field, 0);
    }
    writer.close(11, config);
  }
  const start = writer.length;
  if (endOfStream) {
    writer.byte(1);
    writer.tag(3, 0);
  }
  const map = writer.length;
  for (const [name, value] of [...headers].reverse()) {
    const header = writer.length;
    // Envoy writes raw_value, and pickers read only that.
    writer.text(3, value);
    writer.text(1, name);
    writer.close(1, header);
  }
  writer.close(1, map);
  writer.close(phase, start);
  return framed();
}

/** `ProcessingRequest` with a piece of a body. */
export function bodyMessage(phase: Phase.RequestBody | Phase.ResponseBody, body: Buffer, endOfStream: boolean): Buffer {
  writer.reset();
  const start = writer.length;
  if (endOfStream) {
    writer.byte(1);
    writer.tag(2, 0);
  }
  const bytes = writer.length;
  writer.raw(body);
  writer.close(1, bytes);
  writer.close(phase, start);
  return framed();
}

/** gRPC's prefix: not compressed, length. */
function framed(): Buffer {
  const message = Buffer.allocUnsafe(5 + writer.length);
  message[0] = 0;
  message.writeUInt32BE(writer.length, 1);
  writer.bytes.copy(message, 5, writer.at);
  return message;
}

/** Reads a `ProcessingResponse`. @throws WireError */
export function readReply(bytes: Buffer): PickerReply {
  const reply = { kind: 0 as Reply | 0, set: [] as [string, string][], remove: [] as string[], body: NOTHING as Buffer };
  let endOfStream = false;
  let status = 0;
  const mutation = (from: Buffer): void => {
    for (const { field, bytes: part } of fieldsOf(from)) {
      if (field === 2) reply.remove.push(part.toString('latin1').toLowerCase());
      if (field === 1) for (const option of fieldsOf(part)) if (option.field === 1) reply.set.push(header(option.bytes));
    }
  };
  for (const { field, bytes: part } of fieldsOf(bytes)) {
    if (field < Reply.RequestHeaders || field > Reply.Immediate) continue;
    reply.kind = field;
    for (const inner of fieldsOf(part)) {
      if (field === Reply.Immediate) {
        if (inner.field === 1) status = fieldsOf(inner.bytes)[0]?.number ?? 0;
        if (inner.field === 2) mutation(inner.bytes);
        if (inner.field === 3) reply.body = inner.bytes;
      } else if (field === Reply.RequestTrailers || field === Reply.ResponseTrailers) continue;
      else if (inner.field === 1) {
        for (const common of fieldsOf(inner.bytes)) {
          if (common.field === 2) mutation(common.bytes);
          if (common.field !== 3) continue;
          for (const streamed of fieldsOf(common.bytes)) {
            if (streamed.field !== 3) continue;
            for (const piece of fieldsOf(streamed.bytes)) {
              if (piece.field === 1) reply.body = piece.bytes;
              if (piece.field === 2) endOfStream = piece.number !== 0;
            }
          }
        }
      }
    }
  }
  return { ...reply, endOfStream, status };
}

const NOTHING = Buffer.alloc(0);

interface Field {
  readonly field: number;
  /** Of a varint. */
  readonly number: number;
  /** Of a delimited field. */
  readonly bytes: Buffer;
}

function fieldsOf(bytes: Buffer): Field[] {
  const reader = new WireReader().over(bytes, 0, bytes.length);
  const fields: Field[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const field = tag >>> 3;
    if ((tag & 7) === 0) fields.push({ field, number: reader.varint(), bytes: NOTHING });
    else if ((tag & 7) === 2) {
      const end = reader.delimited();
      fields.push({ field, number: 0, bytes: bytes.subarray(reader.at, end) });
      reader.at = end;
    } else reader.skip(tag);
  }
  return fields;
}

/** `HeaderValue`: key, and raw_value or value. */
function header(bytes: Buffer): [string, string] {
  let name = '';
  let value = '';
  for (const { field, bytes: part } of fieldsOf(bytes)) {
    if (field === 1) name = part.toString('latin1').toLowerCase();
    else if (part.length > 0) value = part.toString('utf8');
  }
  return [name, value];
}
