/** Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7). */
export const NO_ERROR = 0x0;
export const PROTOCOL_ERROR = 0x1;
export const INTERNAL_ERROR = 0x2;
export const FLOW_CONTROL_ERROR = 0x3;
export const SETTINGS_TIMEOUT = 0x4;
export const STREAM_CLOSED = 0x5;
export const FRAME_SIZE_ERROR = 0x6;
export const REFUSED_STREAM = 0x7;
export const COMPRESSION_ERROR = 0x9;
export const ENHANCE_YOUR_CALM = 0xb;

/**
 * A fault that ends the whole connection (RFC 9113 section 5.4.1): thrown while frames are read, caught by the connection, which
 * answers with GOAWAY. It never leaves the connection.
 */
export class ConnectionError extends Error {
  override readonly name = 'Http2ConnectionError';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
