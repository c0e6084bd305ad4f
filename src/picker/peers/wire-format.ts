/**
 * What replicas send each other: frames of `length u32, type u8, payload`, little endian, the length without itself. See
 * docs/picker/replicas.md for what they mean. Decoding never throws and never reads beyond a frame: whoever sends garbage is cut off.
 */

/** 'AIGP' */
const MAGIC = 0x50474941;
/** A replica talks only to those of its own version. */
export const PEER_VERSION = 1;

/** Most bytes of a frame, its length included. */
export const MAX_FRAME_BYTES = 1 << 17;
export const ID_BYTES = 16;
export const NONCE_BYTES = 16;
export const MAC_BYTES = 32;
/** Leading blocks of a prompt that are told; 32,768 tokens of the usual blocks. */
export const MAX_SHARED_BLOCKS = 512;

const HEAD_BYTES = 5;
const COUNTS_ENTRY_BYTES = 24;
const PREFIX_HEAD_BYTES = 14;
/** Endpoints in one frame. */
export const MAX_COUNTS = Math.floor((MAX_FRAME_BYTES - HEAD_BYTES) / COUNTS_ENTRY_BYTES);
/** No engine has more requests or tokens; a sender that claims more is none. */
const MAX_COUNT = 1e9;

const FrameType = { GREETING: 1, HELLO: 2, COUNTS: 3, PREFIX: 4 } as const;

/** The first frame of whoever is connected to. */
export interface Greeting {
  readonly kind: 'greeting';
  readonly version: number;
  readonly id: Buffer;
  readonly nonce: Buffer;
}

/** The answer of whoever connects. */
export interface Hello {
  readonly kind: 'hello';
  readonly version: number;
  readonly id: Buffer;
  /** HMAC-SHA256 of nonce and both ids under the shared secret; zeros without one. */
  readonly mac: Buffer;
}

/** What the sender has under way at one endpoint. */
export interface EndpointCounts {
  /** Hash of `ip:port`, in two lanes. */
  readonly keyLow: number;
  readonly keyHigh: number;
  readonly inFlight: number;
  readonly prefillTokens: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Endpoints whose counts have changed; none of them to say that the sender is alive. */
export interface CountsFrame {
  readonly kind: 'counts';
  readonly entries: readonly EndpointCounts[];
}

/** A prompt that the sender has sent to an endpoint. */
export interface PrefixFrame {
  readonly kind: 'prefix';
  /** Hash of the name of the prefix producer. */
  readonly producer: number;
  readonly keyLow: number;
  readonly keyHigh: number;
  /** Chained hashes of its leading blocks, two words each. */
  readonly hashes: Int32Array;
}

export type PeerFrame = Greeting | Hello | CountsFrame | PrefixFrame;

export function encodeGreeting(id: Buffer, nonce: Buffer): Buffer {
  const { frame, at } = introduction(FrameType.GREETING, NONCE_BYTES, id);
  nonce.copy(frame, at);
  return frame;
}

export function encodeHello(id: Buffer, mac: Buffer): Buffer {
  const { frame, at } = introduction(FrameType.HELLO, MAC_BYTES, id);
  mac.copy(frame, at);
  return frame;
}

export function encodeCounts(entries: readonly EndpointCounts[]): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + entries.length * COUNTS_ENTRY_BYTES);
  writeHead(frame, FrameType.COUNTS);
  let at = HEAD_BYTES;
  for (const { keyLow, keyHigh, inFlight, prefillTokens, promptTokens, outputTokens } of entries) {
    frame.writeInt32LE(keyLow, at);
    frame.writeInt32LE(keyHigh, at + 4);
    frame.writeUInt32LE(counted(inFlight), at + 8);
    frame.writeUInt32LE(counted(prefillTokens), at + 12);
    frame.writeUInt32LE(counted(promptTokens), at + 16);
    frame.writeUInt32LE(counted(outputTokens), at + 20);
    at += COUNTS_ENTRY_BYTES;
  }
  return frame;
}

/** Bytes of a prefix frame. */
export function prefixFrameBytes(blocks: number): number {
  return HEAD_BYTES + PREFIX_HEAD_BYTES + blocks * 8;
}

/** Writes a prefix frame to where there is room for it; nothing is allocated, because this is on the way of a request. */
export function writePrefix(
  into: Buffer,
  at: number,
  producer: number,
  keyLow: number,
  keyHigh: number,
  hashes: Int32Array,
  blocks: number,
): void {
  into.writeUInt32LE(prefixFrameBytes(blocks) - 4, at);
  into[at + 4] = FrameType.PREFIX;
  into.writeInt32LE(producer, at + 5);
  into.writeInt32LE(keyLow, at + 9);
  into.writeInt32LE(keyHigh, at + 13);
  into.writeUInt16LE(blocks, at + 17);
  let to = at + HEAD_BYTES + PREFIX_HEAD_BYTES;
  for (let word = 0; word < 2 * blocks; word++, to += 4) into.writeInt32LE(hashes[word]!, to);
}

/**
 * The frame at the beginning of some bytes.
 * @returns the frame and how long it is, 'more' when it is not complete, or why it is none
 */
export function decodeFrame(
  bytes: Buffer,
): { readonly frame: PeerFrame; readonly length: number } | 'more' | { readonly fault: string } {
  if (bytes.length < HEAD_BYTES) return 'more';
  const length = bytes.readUInt32LE(0) + 4;
  if (length < HEAD_BYTES || length > MAX_FRAME_BYTES) return { fault: `a frame of ${length} bytes` };
  if (bytes.length < length) return 'more';
  const frame = decodePayload(bytes[4]!, bytes.subarray(HEAD_BYTES, length));
  return typeof frame === 'string' ? { fault: frame } : { frame, length };
}

function decodePayload(type: number, payload: Buffer): PeerFrame | string {
  switch (type) {
    case FrameType.GREETING:
      return decodeIntroduction(payload, NONCE_BYTES, (version, id, nonce) => ({ kind: 'greeting', version, id, nonce }));
    case FrameType.HELLO:
      return decodeIntroduction(payload, MAC_BYTES, (version, id, mac) => ({ kind: 'hello', version, id, mac }));
    case FrameType.COUNTS:
      return decodeCounts(payload);
    case FrameType.PREFIX:
      return decodePrefix(payload);
    default:
      return `a frame of type ${type}`;
  }
}

function decodeIntroduction<T>(
  payload: Buffer,
  tailBytes: number,
  make: (version: number, id: Buffer, tail: Buffer) => T,
): T | string {
  // one of another version may be of another length: what it says first must suffice to tell
  if (payload.length < 6 || payload.readUInt32LE(0) !== MAGIC) return 'no frame of a picker';
  const version = payload.readUInt16LE(4);
  if (version !== PEER_VERSION) return make(version, Buffer.alloc(ID_BYTES), Buffer.alloc(tailBytes));
  if (payload.length !== 6 + ID_BYTES + tailBytes) return `an introduction of ${payload.length} bytes`;
  return make(version, Buffer.from(payload.subarray(6, 6 + ID_BYTES)), Buffer.from(payload.subarray(6 + ID_BYTES)));
}

function decodeCounts(payload: Buffer): CountsFrame | string {
  if (payload.length % COUNTS_ENTRY_BYTES !== 0) return `counts of ${payload.length} bytes`;
  const entries: EndpointCounts[] = [];
  for (let at = 0; at < payload.length; at += COUNTS_ENTRY_BYTES) {
    const entry = {
      keyLow: payload.readInt32LE(at),
      keyHigh: payload.readInt32LE(at + 4),
      inFlight: payload.readUInt32LE(at + 8),
      prefillTokens: payload.readUInt32LE(at + 12),
      promptTokens: payload.readUInt32LE(at + 16),
      outputTokens: payload.readUInt32LE(at + 20),
    };
    if (Math.max(entry.inFlight, entry.prefillTokens, entry.promptTokens, entry.outputTokens) > MAX_COUNT)
      return 'counts beyond what any engine has';
    entries.push(entry);
  }
  return { kind: 'counts', entries };
}

function decodePrefix(payload: Buffer): PrefixFrame | string {
  if (payload.length < PREFIX_HEAD_BYTES) return `a prefix of ${payload.length} bytes`;
  const blocks = payload.readUInt16LE(12);
  if (blocks === 0 || blocks > MAX_SHARED_BLOCKS || payload.length !== PREFIX_HEAD_BYTES + blocks * 8)
    return `a prefix of ${blocks} blocks in ${payload.length} bytes`;
  const hashes = new Int32Array(2 * blocks);
  for (let word = 0; word < hashes.length; word++) hashes[word] = payload.readInt32LE(PREFIX_HEAD_BYTES + 4 * word);
  return {
    kind: 'prefix',
    producer: payload.readInt32LE(0),
    keyLow: payload.readInt32LE(4),
    keyHigh: payload.readInt32LE(8),
    hashes,
  };
}

function introduction(type: number, tailBytes: number, id: Buffer): { readonly frame: Buffer; readonly at: number } {
  const frame = Buffer.alloc(HEAD_BYTES + 6 + ID_BYTES + tailBytes);
  writeHead(frame, type);
  frame.writeUInt32LE(MAGIC, HEAD_BYTES);
  frame.writeUInt16LE(PEER_VERSION, HEAD_BYTES + 4);
  id.copy(frame, HEAD_BYTES + 6);
  return { frame, at: HEAD_BYTES + 6 + ID_BYTES };
}

function writeHead(frame: Buffer, type: number): void {
  frame.writeUInt32LE(frame.length - 4, 0);
  frame[4] = type;
}

function counted(value: number): number {
  return value > 0 ? Math.min(MAX_COUNT, Math.ceil(value)) : 0;
}
