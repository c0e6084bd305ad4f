/** Frame types (RFC 9113 section 6). */
export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

/** Flags; ACK and END_STREAM share a bit, on different frame types. */
export const FLAG_ACK = 0x1;
export const FLAG_END_STREAM = 0x1;
export const FLAG_END_HEADERS = 0x4;
export const FLAG_PADDED = 0x8;
export const FLAG_PRIORITY = 0x20;

/** Length of a frame header (RFC 9113 section 4.1). */
export const FRAME_HEADER_BYTES = 9;
/** The least a peer must accept, and the most this server accepts (RFC 9113 section 4.2). */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
/** Flow-control window of a connection and of a stream before any SETTINGS or WINDOW_UPDATE (RFC 9113 section 6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** Largest flow-control window and largest increment (RFC 9113 section 6.9.1). */
export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** What a client sends first (RFC 9113 section 3.4). */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
