import { ConnectionError } from '../../../../../src/picker/http2/error-codes';
import { HpackDecoder } from '../../../../../src/picker/http2/hpack/decoder';

function decoded(decoder: HpackDecoder, hex: string): string[] {
  const block = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const fields: string[] = [];
  decoder.decode(block, 0, block.length, { field: (name, value) => fields.push(`${name}: ${value}`) });
  return fields;
}

// RFC 7541 appendix C. The response examples there use a table of 256 bytes; `3fe1 01` sets it.
const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const SECOND = [...FIRST, 'cache-control: no-cache'];
const THIRD = [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'];
const R302 = [
  ':status: 302',
  'cache-control: private',
  'date: Mon, 21 Oct 2013 20:13:21 GMT',
  'location: https://www.example.com',
];
const R307 = [':status: 307', ...R302.slice(1)];
const R200 = [
  ':status: 200',
  'cache-control: private',
  'date: Mon, 21 Oct 2013 20:13:22 GMT',
  'location: https://www.example.com',
  'content-encoding: gzip',
  'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
];

const EXAMPLES: [section: string, blocks: [hex: string, fields: string[], tableBytes: number][]][] = [
  [
    'C.2.1 literal with indexing',
    [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header'], 55]],
  ],
  ['C.2.2 literal without indexing', [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path'], 0]]],
  ['C.2.3 literal never indexed', [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret'], 0]]],
  ['C.2.4 indexed', [['82', [':method: GET'], 0]]],
  [
    'C.3 requests without Huffman code',
    [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', FIRST, 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', SECOND, 110],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', THIRD, 164],
    ],
  ],
  [
    'C.4 requests with Huffman code',
    [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', FIRST, 57],
      ['8286 84be 5886 a8eb 1064 9cbf', SECOND, 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', THIRD, 164],
    ],
  ],
  [
    'C.5 responses without Huffman code, with evictions',
    [
      [
        '3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        R302,
        222,
      ],
      ['4803 3330 37c1 c0bf', R307, 222],
      [
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
        R200,
        215,
      ],
    ],
  ],
  [
    'C.6 responses with Huffman code, with evictions',
    [
      [
        '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        R302,
        222,
      ],
      ['4883 640e ffc1 c0bf', R307, 222],
      [
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        R200,
        215,
      ],
    ],
  ],
];

describe('HpackDecoder', () => {
  it.each(EXAMPLES)('reads the example of RFC 7541 appendix %s', (_section, blocks) => {
    const decoder = new HpackDecoder();
    for (const [hex, fields, tableBytes] of blocks) {
      expect(decoded(decoder, hex)).toEqual(fields);
      expect(decoder.table.bytes).toBe(tableBytes);
    }
  });

  const faults: [what: string, hex: string][] = [
    ['an index of 0', '80'],
    ['an index above both tables', 'be'],
    ['a literal whose name index is above both tables', '7f00 00'],
    ['a string longer than the block', '400a 6375'],
    ['a missing value', '4003 616263'],
    ['an integer that does not end', '7fff'],
    ['an integer longer than four continuation bytes', '7fff ffff ffff ff00'],
    ['a size update above 4096', '3fe2 1f'],
    ['a size update behind a field', '82 20'],
    ['Huffman padding of a whole byte', '4082 1fff 00'],
    ['Huffman padding that is not ones', '4081 18 00'],
    ['the EOS symbol', '4084 ffff fffc 00'],
  ];
  it.each(faults)('refuses %s as a connection error', (_what, hex) => {
    const error = (() => {
      try {
        decoded(new HpackDecoder(), hex);
        return undefined;
      } catch (thrown) {
        return thrown as ConnectionError;
      }
    })();
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error!.code).toBe(0x9);
  });

  it('forgets the oldest entries when the table shrinks, and takes entries again when it grows', () => {
    const decoder = new HpackDecoder();
    decoded(decoder, '4001 61 01 31 4001 62 01 32');
    expect(decoded(decoder, '3f03 be')).toEqual(['b: 2']);
    expect(() => decoded(decoder, 'bf')).toThrow(ConnectionError);
    expect(decoder.table.length).toBe(1);
    decoded(decoder, '20 3fe11f 4001 63 01 33');
    expect(decoder.table.length).toBe(1);
    expect(decoded(decoder, 'be')).toEqual(['c: 3']);
  });

  it('does not keep an entry larger than the table, which empties it', () => {
    const decoder = new HpackDecoder();
    decoded(decoder, '4001 61 01 31');
    const value = Buffer.alloc(4096, 0x78);
    const block = Buffer.concat([Buffer.from([0x40, 1, 0x62, 0x7f, 0x81, 0x1f]), value]);
    const fields: string[] = [];
    decoder.decode(block, 0, block.length, { field: (name, text) => fields.push(`${name} ${text.length}`) });
    expect(fields).toEqual(['b 4096']);
    expect([decoder.table.length, decoder.table.bytes]).toEqual([0, 0]);
  });
});
