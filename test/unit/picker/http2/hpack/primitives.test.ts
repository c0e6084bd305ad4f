import { DynamicTable } from '../../../../../src/picker/http2/hpack/dynamic-table';
import { decodeHuffman, maxDecodedBytes } from '../../../../../src/picker/http2/hpack/huffman';
import { Cursor, writeInteger } from '../../../../../src/picker/http2/hpack/integer';
import { STATIC_NAMES, STATIC_TABLE_LAST, STATIC_VALUES } from '../../../../../src/picker/http2/hpack/static-table';

describe('integers', () => {
  // RFC 7541 appendix C.1, and the ends of what is accepted.
  const cases: [value: number, prefixBits: number, hex: string][] = [
    [10, 5, '0a'],
    [1337, 5, '1f9a0a'],
    [42, 8, '2a'],
    [0, 7, '00'],
    [126, 7, '7e'],
    [127, 7, '7f00'],
    [127 + 0x0fff_ffff, 7, '7fffffff7f'],
  ];
  it.each(cases)('%d with a prefix of %d bits is %s', (value, prefixBits, hex) => {
    const target = Buffer.alloc(8);
    const bytes = writeInteger(target, 0, 0, prefixBits, value);
    expect(target.subarray(0, bytes).toString('hex')).toBe(hex);
    const cursor = new Cursor();
    cursor.buffer = target;
    cursor.end = bytes;
    expect(cursor.integer(prefixBits)).toBe(value);
    expect(cursor.position).toBe(bytes);
  });

  it('keeps the bits above the prefix out of the value', () => {
    const cursor = new Cursor();
    cursor.buffer = Buffer.from('ea', 'hex');
    cursor.end = 1;
    expect(cursor.integer(5)).toBe(10);
  });
});

describe('Huffman code', () => {
  const cases: [text: string, hex: string][] = [
    ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
    ['no-cache', 'a8eb10649cbf'],
    ['custom-value', '25a849e95bb8e8b4bf'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
    ['', ''],
  ];
  it.each(cases)('decodes %j', (text, hex) => {
    const source = Buffer.from(hex, 'hex');
    const target = Buffer.alloc(maxDecodedBytes(source.length));
    expect(target.toString('latin1', 0, decodeHuffman(source, 0, source.length, target))).toBe(text);
  });
});

describe('tables', () => {
  it('has the static entries where RFC 7541 appendix A puts them', () => {
    expect(STATIC_TABLE_LAST).toBe(61);
    const at = (index: number) => `${STATIC_NAMES[index]} ${STATIC_VALUES[index]}`.trim();
    expect([1, 2, 3, 7, 8, 14, 15, 16, 31, 32, 54, 61].map(at)).toEqual([
      ':authority',
      ':method GET',
      ':method POST',
      ':scheme https',
      ':status 200',
      ':status 500',
      'accept-charset',
      'accept-encoding gzip, deflate',
      'content-type',
      'cookie',
      'server',
      'www-authenticate',
    ]);
  });

  it('counts from the newest entry, evicts the oldest, and changes its version with both', () => {
    const table = new DynamicTable(100);
    const versions = [table.version];
    for (const name of ['a', 'b', 'c']) {
      table.insert(name, name);
      versions.push(table.version);
    }
    expect([table.length, table.bytes]).toEqual([2, 68]);
    expect([table.name(0), table.name(1)]).toEqual(['c', 'b']);
    table.resize(40);
    versions.push(table.version);
    expect([table.length, table.value(0)]).toEqual([1, 'c']);
    expect(new Set(versions).size).toBe(versions.length);
  });

  it('keeps its place over many insertions', () => {
    const table = new DynamicTable(4096);
    for (let i = 0; i < 1000; i++) table.insert(String(i), '');
    expect(table.length).toBe(Math.floor(4096 / 35));
    for (let i = 0; i < table.length; i++) expect(table.name(i)).toBe(String(999 - i));
  });
});
