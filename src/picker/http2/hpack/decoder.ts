import { COMPRESSION_ERROR, ConnectionError } from '../error-codes';
import { DynamicTable } from './dynamic-table';
import { decodeHuffman, maxDecodedBytes } from './huffman';
import { Cursor } from './integer';
import { STATIC_NAMES, STATIC_TABLE_LAST, STATIC_VALUES } from './static-table';

/** Receives the fields of a block in order. Names and values hold one character a byte. */
export interface FieldSink {
  field(name: string, value: string): void;
}

/** Never announced otherwise, so it is what the peer's encoder may use (RFC 9113 section 6.5.2). */
export const DECODER_TABLE_BYTES = 4096;

const SCRATCH_BYTES = 4096;

/** HPACK decoder of one connection (RFC 7541 section 3). Faults are connection errors: the two tables no longer agree. */
export class HpackDecoder {
  readonly table = new DynamicTable(DECODER_TABLE_BYTES);
  private readonly cursor = new Cursor();
  private readonly scratch = Buffer.allocUnsafe(SCRATCH_BYTES);

  /** @throws ConnectionError COMPRESSION_ERROR */
  decode(block: Buffer, start: number, end: number, sink: FieldSink): void {
    const cursor = this.cursor;
    cursor.buffer = block;
    cursor.position = start;
    cursor.end = end;
    let fieldSeen = false;
    while (cursor.position < end) {
      const first = block[cursor.position]!;
      if (first >= 0x80) {
        // section 6.1, indexed field
        const index = this.index(7);
        if (index === 0) throw compressionError('index 0');
        sink.field(this.nameAt(index), this.valueAt(index));
      } else if (first >= 0x40) {
        // section 6.2.1, literal with incremental indexing
        const name = this.literalName(6);
        const value = this.string();
        this.table.insert(name, value);
        sink.field(name, value);
      } else if (first >= 0x20) {
        // section 6.3: only at the start of a block (section 4.2)
        if (fieldSeen) throw compressionError('table size update behind a field');
        const bytes = this.cursor.integer(5);
        if (bytes < 0 || bytes > DECODER_TABLE_BYTES) throw compressionError('table size update above the limit');
        this.table.resize(bytes);
        continue;
      } else {
        // sections 6.2.2 and 6.2.3, literal without indexing and never indexed
        const name = this.literalName(4);
        sink.field(name, this.string());
      }
      fieldSeen = true;
    }
    cursor.buffer = EMPTY;
  }

  private index(prefixBits: number): number {
    const index = this.cursor.integer(prefixBits);
    if (index < 0 || index > STATIC_TABLE_LAST + this.table.length) throw compressionError('index outside of the tables');
    return index;
  }

  private nameAt(index: number): string {
    return index <= STATIC_TABLE_LAST ? STATIC_NAMES[index]! : this.table.name(index - STATIC_TABLE_LAST - 1);
  }

  private valueAt(index: number): string {
    return index <= STATIC_TABLE_LAST ? STATIC_VALUES[index]! : this.table.value(index - STATIC_TABLE_LAST - 1);
  }

  private literalName(prefixBits: number): string {
    const index = this.index(prefixBits);
    return index === 0 ? this.string() : this.nameAt(index);
  }

  /** String literal (RFC 7541 section 5.2). */
  private string(): string {
    const cursor = this.cursor;
    const huffman = cursor.position < cursor.end && cursor.buffer[cursor.position]! >= 0x80;
    const bytes = cursor.integer(7);
    const start = cursor.position;
    if (bytes < 0 || bytes > cursor.end - start) throw compressionError('string longer than its block');
    cursor.position += bytes;
    if (!huffman) return cursor.buffer.toString('latin1', start, start + bytes);
    const room = maxDecodedBytes(bytes);
    const target = room <= SCRATCH_BYTES ? this.scratch : Buffer.allocUnsafe(room);
    const written = decodeHuffman(cursor.buffer, start, start + bytes, target);
    if (written < 0) throw compressionError('malformed Huffman string');
    return target.toString('latin1', 0, written);
  }
}

const EMPTY = Buffer.alloc(0);

function compressionError(what: string): ConnectionError {
  return new ConnectionError(COMPRESSION_ERROR, `header block: ${what}`);
}
