/** What one peer may cost. A proxy in front of the picker stays far below all of it. */
export interface Http2Limits {
  /** Streams open at once on a connection (SETTINGS_MAX_CONCURRENT_STREAMS); a proxy opens another connection above it. @default 10000 */
  readonly maxConcurrentStreams: number;
  /** @default 4096 */
  readonly maxConnections: number;
  /** Decoded size of a header list as RFC 9113 section 6.5.2 counts it. @default 16384 */
  readonly maxHeaderListBytes: number;
  /** CONTINUATION frames behind one HEADERS frame. @default 8 */
  readonly maxContinuationFrames: number;
  /** Flow-control window given to the peer for a stream. @default 1048576 */
  readonly streamWindowBytes: number;
  /** Flow-control window given to the peer for a connection. @default 16777216 */
  readonly connectionWindowBytes: number;
  /** A stream with more replies waiting for the peer's window gets no new receive window. @default 1048576 */
  readonly streamSendHighWaterBytes: number;
  /** Unsent and unassembled bytes of one stream; the stream that exceeds it ends with RESOURCE_EXHAUSTED. @default 50331648 */
  readonly maxStreamBufferedBytes: number;
  /** The same for all streams of a connection. @default 134217728 */
  readonly maxConnectionBufferedBytes: number;
  /** The same for all connections. @default 268435456 */
  readonly maxTotalBufferedBytes: number;
  /** Bytes the socket may hold back before reading from it stops and replies wait in their streams. @default 524288 */
  readonly socketHighWaterBytes: number;
  /** From accepting to the client preface and SETTINGS; also the time a header block may take. @default 10000 */
  readonly prefaceTimeoutMs: number;
  /** A connection without streams and traffic is closed with GOAWAY. @default 3600000 */
  readonly idleTimeoutMs: number;
  /** A peer that takes no byte of the output for so long is dropped. @default 60000 */
  readonly writeStallTimeoutMs: number;
  /** How long a stream that the server has ended waits for the peer to end it too, before RST_STREAM(NO_ERROR). @default 1000 */
  readonly lingerMs: number;
  /** What a lingering stream may still send before RST_STREAM(NO_ERROR). @default 65536 */
  readonly lingerBytes: number;
  /** Streams reset, by either side, without one complete message; each complete message earns one back. @default 1000 */
  readonly maxFruitlessResets: number;
  /** Fruitless resets forgiven every second. @default 33 */
  readonly fruitlessResetsForgivenPerSecond: number;
  /** Control frames and empty DATA frames beyond what work done has earned, as a burst. @default 10000 */
  readonly maxControlFrames: number;
  /** Control frames forgiven every second. @default 2000 */
  readonly controlFramesForgivenPerSecond: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: Http2Limits = {
  maxConcurrentStreams: 10_000,
  maxConnections: 4096,
  maxHeaderListBytes: 16 * KIB,
  maxContinuationFrames: 8,
  streamWindowBytes: MIB,
  connectionWindowBytes: 16 * MIB,
  streamSendHighWaterBytes: MIB,
  maxStreamBufferedBytes: 48 * MIB,
  maxConnectionBufferedBytes: 128 * MIB,
  maxTotalBufferedBytes: 256 * MIB,
  socketHighWaterBytes: 512 * KIB,
  prefaceTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  writeStallTimeoutMs: 60_000,
  lingerMs: 1000,
  lingerBytes: 64 * KIB,
  maxFruitlessResets: 1000,
  fruitlessResetsForgivenPerSecond: 33,
  maxControlFrames: 10_000,
  controlFramesForgivenPerSecond: 2000,
};
