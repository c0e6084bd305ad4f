import { type FieldSink, HpackDecoder } from './hpack/decoder';
import { ENTRY_OVERHEAD_BYTES } from './hpack/dynamic-table';

/** What the server needs of a header block; immutable, so that equal blocks share one. */
export interface RequestHead {
  /** Why the block is malformed as a request (RFC 9113 section 8.1.1), or ''. */
  readonly malformedRequest: string;
  /** Why it is malformed as trailers, or ''. */
  readonly malformedTrailers: string;
  /** Larger than SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 10.5.1). */
  readonly tooLarge: boolean;
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** -1 when absent. */
  readonly contentLength: number;
}

/** Connection-specific fields, which do not exist in HTTP/2 (RFC 9113 section 8.2.2). */
const CONNECTION_SPECIFIC = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

// RFC 9113 section 8.2.1: visible ASCII without upper case and without a colon (pseudo-fields are handled before).
const BAD_NAME = /[^!-9;-@[-~]/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const DIGITS = /^\d{1,15}$/;

class FieldCollector implements FieldSink {
  private malformed = '';
  private method: string | undefined;
  private scheme: string | undefined;
  private path: string | undefined;
  private authority: string | undefined;
  private contentType = '';
  private contentLength = -1;
  private regularSeen = false;
  private pseudoSeen = false;
  private listBytes = 0;

  constructor(private readonly maxListBytes: number) {}

  field(name: string, value: string): void {
    this.listBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    if (this.listBytes > this.maxListBytes || this.malformed !== '') return;
    if (BAD_VALUE.test(value)) this.malformed = 'field value with a forbidden character';
    else if (name.charCodeAt(0) === 0x3a) this.pseudo(name, value);
    else this.regular(name, value);
  }

  head(): RequestHead {
    return {
      malformedRequest: this.malformed || this.missing(),
      malformedTrailers: this.malformed || (this.pseudoSeen ? 'pseudo-field in trailers' : ''),
      tooLarge: this.listBytes > this.maxListBytes,
      method: this.method ?? '',
      path: this.path ?? '',
      contentType: this.contentType,
      contentLength: this.contentLength,
    };
  }

  /** RFC 9113 section 8.3.1: exactly one each, before the regular fields. */
  private pseudo(name: string, value: string): void {
    this.pseudoSeen = true;
    if (this.regularSeen) this.malformed = 'pseudo-field behind a regular field';
    else if (name === ':method' && this.method === undefined) this.method = value;
    else if (name === ':scheme' && this.scheme === undefined) this.scheme = value;
    else if (name === ':path' && this.path === undefined) this.path = value;
    else if (name === ':authority' && this.authority === undefined) this.authority = value;
    else this.malformed = 'unknown or repeated pseudo-field';
  }

  private regular(name: string, value: string): void {
    this.regularSeen = true;
    if (name === '' || BAD_NAME.test(name)) this.malformed = 'field name with a forbidden character';
    else if (CONNECTION_SPECIFIC.has(name)) this.malformed = `connection-specific field ${name}`;
    else if (name === 'te' && value !== 'trailers') this.malformed = 'te other than trailers';
    else if (name === 'content-type') this.contentType = value;
    else if (name === 'content-length') this.length(value);
  }

  private length(value: string): void {
    const bytes = DIGITS.test(value) ? Number(value) : -1;
    if (bytes < 0 || (this.contentLength >= 0 && this.contentLength !== bytes)) this.malformed = 'content-length not one number';
    else this.contentLength = bytes;
  }

  private missing(): string {
    if (this.method === undefined || this.scheme === undefined || !this.path) return 'a pseudo-field is missing or empty';
    return '';
  }
}

/** Longest block that is remembered; what a proxy repeats is far shorter once its fields are indexed. */
const REMEMBERED_BYTES = 512;

/**
 * Reads header blocks of one connection. A proxy sends the same few bytes for every stream once its fields are in the dynamic table:
 * a block equal to the remembered one is not decoded again, provided that neither it nor anything since has changed the table.
 */
export class RequestHeadReader {
  private readonly decoder = new HpackDecoder();
  private readonly remembered = Buffer.alloc(REMEMBERED_BYTES);
  private rememberedBytes = -1;
  private rememberedVersion = -1;
  private rememberedHead: RequestHead | undefined;

  constructor(private readonly maxHeaderListBytes: number) {}

  /** @throws ConnectionError COMPRESSION_ERROR */
  read(block: Buffer, start: number, end: number): RequestHead {
    const table = this.decoder.table;
    if (this.rememberedVersion === table.version && this.equalsRemembered(block, start, end)) return this.rememberedHead!;
    const collector = new FieldCollector(this.maxHeaderListBytes);
    const versionBefore = table.version;
    this.decoder.decode(block, start, end, collector);
    const head = collector.head();
    if (table.version === versionBefore && end - start <= REMEMBERED_BYTES) {
      block.copy(this.remembered, 0, start, end);
      this.rememberedBytes = end - start;
      this.rememberedVersion = versionBefore;
      this.rememberedHead = head;
    }
    return head;
  }

  private equalsRemembered(block: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    if (bytes !== this.rememberedBytes) return false;
    for (let i = 0; i < bytes; i++) if (block[start + i] !== this.remembered[i]) return false;
    return true;
  }
}
