import { ENTRY_OVERHEAD_BYTES } from './dynamic-table';
import { writeInteger } from './integer';
import { STATIC_TABLE_LAST } from './static-table';

// Static table indices of what replies are made of (RFC 7541 appendix A).
const STATUS_200 = 8;
const CONTENT_TYPE = 31;

const GRPC_CONTENT_TYPE = 'application/grpc';
const GRPC_STATUS = 'grpc-status';
const GRPC_MESSAGE = 'grpc-message';

/** Room both indexed fields need in the peer's table; with less, nothing is indexed. */
const INDEXED_BYTES =
  'content-type'.length + GRPC_CONTENT_TYPE.length + GRPC_STATUS.length + '0'.length + 2 * ENTRY_OVERHEAD_BYTES;

/** The longest block these replies make: a status and a message of MAX_MESSAGE_BYTES percent-encoded bytes. */
export const MAX_REPLY_BLOCK_BYTES = 4096;
const MAX_MESSAGE_BYTES = 1024;

/**
 * HPACK encoder of one connection (RFC 7541 section 6), for the few header blocks a gRPC server sends. `content-type` and
 * `grpc-status: 0` enter the peer's dynamic table with their first use, so that the usual reply is two bytes of headers and one of
 * trailers. All methods append to `target` at `offset` and return the offset behind the block; blocks must be sent in the order
 * they were made.
 */
export class ReplyEncoder {
  private contentTypeIndex = 0;
  private statusOkIndex = 0;
  private mayIndex = true;
  private tableBytes = 4096;
  /** Size update to put before the next block, or -1. */
  private sizeUpdate = -1;

  /**
   * The peer has announced SETTINGS_HEADER_TABLE_SIZE. A reduction must be answered at the start of the next block (RFC 7541
   * section 4.2); a table too small for two entries is given up for good, a larger one is not used.
   */
  peerTableSize(bytes: number): void {
    if (bytes >= this.tableBytes) return;
    this.tableBytes = bytes >= INDEXED_BYTES ? bytes : 0;
    this.sizeUpdate = this.tableBytes;
    if (this.tableBytes > 0) return;
    this.mayIndex = false;
    this.contentTypeIndex = 0;
    this.statusOkIndex = 0;
  }

  /** `:status: 200` and the content type of gRPC. */
  response(target: Buffer, offset: number): number {
    offset = this.start(target, offset);
    target[offset++] = 0x80 | STATUS_200;
    return this.contentType(target, offset);
  }

  /** Trailers; OK without a message is one byte once it is indexed. */
  trailers(target: Buffer, offset: number, status: number, message: string): number {
    return this.grpcStatus(target, this.start(target, offset), status, message);
  }

  /** Response and trailers in one block, for a call that failed before its first message ("Trailers-Only"). */
  trailersOnly(target: Buffer, offset: number, status: number, message: string): number {
    return this.grpcStatus(target, this.response(target, offset), status, message);
  }

  /** A reply to a request that is not gRPC. */
  httpStatus(target: Buffer, offset: number, status: number): number {
    offset = this.start(target, offset);
    offset = writeInteger(target, offset, 0x00, 4, STATUS_200);
    return writeString(target, offset, String(status));
  }

  private start(target: Buffer, offset: number): number {
    if (this.sizeUpdate < 0) return offset;
    offset = writeInteger(target, offset, 0x20, 5, this.sizeUpdate);
    this.sizeUpdate = -1;
    return offset;
  }

  private contentType(target: Buffer, offset: number): number {
    if (this.contentTypeIndex > 0) return writeInteger(target, offset, 0x80, 7, this.contentTypeIndex);
    if (this.mayIndex) this.contentTypeIndex = this.insert();
    offset = writeInteger(target, offset, this.mayIndex ? 0x40 : 0x00, this.mayIndex ? 6 : 4, CONTENT_TYPE);
    return writeString(target, offset, GRPC_CONTENT_TYPE);
  }

  private grpcStatus(target: Buffer, offset: number, status: number, message: string): number {
    if (status === 0 && this.statusOkIndex > 0) {
      offset = writeInteger(target, offset, 0x80, 7, this.statusOkIndex);
    } else {
      const index = status === 0 && this.mayIndex;
      if (index) this.statusOkIndex = this.insert();
      target[offset++] = index ? 0x40 : 0x00;
      offset = writeString(target, offset, GRPC_STATUS);
      offset = writeString(target, offset, String(status));
    }
    if (message === '') return offset;
    target[offset++] = 0x00;
    offset = writeString(target, offset, GRPC_MESSAGE);
    return writeString(target, offset, percentEncode(message));
  }

  /** The next entry gets the lowest dynamic index; what was there moves up by one. */
  private insert(): number {
    if (this.contentTypeIndex > 0) this.contentTypeIndex++;
    if (this.statusOkIndex > 0) this.statusOkIndex++;
    return STATIC_TABLE_LAST + 1;
  }
}

/** Uncompressed string literal (RFC 7541 section 5.2). */
function writeString(target: Buffer, offset: number, text: string): number {
  offset = writeInteger(target, offset, 0x00, 7, text.length);
  return offset + target.write(text, offset, 'latin1');
}

/** Percent-encoding of `grpc-message` (gRPC over HTTP2, "Responses"): everything but printable ASCII, and `%`. */
export function percentEncode(message: string): string {
  const bytes = Buffer.from(message, 'utf8').subarray(0, MAX_MESSAGE_BYTES);
  let encoded = '';
  for (const byte of bytes) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
