/** HTTP/2 frames (RFC 9113, 4 and 6), only what a client of one method writes. */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

export const END_STREAM = 1;
export const ACK = 1;
const END_HEADERS = 4;

export const MAX_FRAME_BYTES = 16_384;
export const MAX_WINDOW = 0x7fffffff;
const DEFAULT_WINDOW = 65_535;

export function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  payload.copy(bytes, 9);
  return bytes;
}

/** Windows as large as they get, so that the client never slows the server. */
export function preface(): Buffer {
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(4, 0);
  settings.writeUInt32BE(MAX_WINDOW, 2);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, settings),
    windowUpdate(MAX_WINDOW - DEFAULT_WINDOW),
  ]);
}

export function windowUpdate(bytes: number): Buffer {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(bytes);
  return frame(WINDOW_UPDATE, 0, 0, increment);
}

export function resetStream(streamId: number): Buffer {
  const CANCEL = 8;
  const code = Buffer.alloc(4);
  code.writeUInt32BE(CANCEL);
  return frame(RST_STREAM, 0, streamId, code);
}

/** The call's HEADERS frame for stream 0, to be patched. Literals without indexing (RFC 7541, 6.2.2): the same bytes on every stream. */
export function callHeaders(): Buffer {
  const literal = (name: string, value: string) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  return frame(
    HEADERS,
    END_HEADERS,
    0,
    Buffer.concat([
      literal(':method', 'POST'),
      literal(':scheme', 'http'),
      literal(':path', '/envoy.service.ext_proc.v3.ExternalProcessor/Process'),
      literal(':authority', 'picker'),
      literal('content-type', 'application/grpc'),
      literal('te', 'trailers'),
    ]),
  );
}

/** Messages cut into DATA frames for stream 0. */
export function dataFrames(messages: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < messages.length; at += MAX_FRAME_BYTES)
    frames.push(frame(DATA, 0, 0, messages.subarray(at, at + MAX_FRAME_BYTES)));
  return Buffer.concat(frames);
}
