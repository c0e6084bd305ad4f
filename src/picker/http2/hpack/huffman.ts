/**
 * Huffman code of RFC 7541 appendix B. The code is canonical: within one length the codes count up in the order of the symbols, so
 * the lengths alone define it.
 */
const SYMBOLS_BY_LENGTH: readonly (readonly [bits: number, symbols: readonly number[]])[] = [
  [5, [48, 49, 50, 97, 99, 101, 105, 111, 115, 116]],
  [6, [32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117]],
  // biome-ignore format: one row a code length
  [7, [58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119, 120, 121, 122]],
  [8, [38, 42, 44, 59, 88, 90]],
  [10, [33, 34, 40, 41, 63]],
  [11, [39, 43, 124]],
  [12, [35, 62]],
  [13, [0, 36, 64, 91, 93, 126]],
  [14, [94, 125]],
  [15, [60, 96, 123]],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  // biome-ignore format: one row a code length
  [22, [129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233]],
  // biome-ignore format: one row a code length
  [23, [1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239]],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  // biome-ignore format: one row a code length
  [28, [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249]],
  [30, [10, 13, 22, 256]],
];

/** End of string: must not appear in a string (RFC 7541 section 5.2). */
const EOS = 256;
/** 256 symbols and EOS are the leaves of a full binary tree. */
const INNER_NODES = 256;
const SHORTEST_CODE_BITS = 5;

/**
 * The code as a tree. `children[2 * node + bit]` is the next inner node, or `~symbol` at a leaf. One look-up a bit: a header block
 * that the proxy has sent before is not decoded at all, so a wider table would buy nothing.
 */
const children = buildTree();

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * INNER_NODES);
  let code = 0;
  let previousBits = 0;
  let nodes = 1;
  for (const [bits, symbols] of SYMBOLS_BY_LENGTH) {
    code <<= bits - previousBits;
    previousBits = bits;
    for (const symbol of symbols) {
      let node = 0;
      for (let bit = bits - 1; bit > 0; bit--) {
        const slot = 2 * node + ((code >>> bit) & 1);
        if (tree[slot] === 0) tree[slot] = nodes++;
        node = tree[slot]!;
      }
      tree[2 * node + (code & 1)] = ~symbol;
      code++;
    }
  }
  return tree;
}

/** The most bytes that `encodedBytes` of Huffman code can stand for. */
export function maxDecodedBytes(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / SHORTEST_CODE_BITS);
}

/**
 * Decodes `source[start, end)` into `target`, which holds at least `maxDecodedBytes(end - start)`.
 *
 * @returns the number of bytes written, or -1 when the string contains EOS, or its padding is longer than 7 bits or not all ones
 *   (RFC 7541 section 5.2)
 */
export function decodeHuffman(source: Buffer, start: number, end: number, target: Buffer): number {
  let node = 0;
  let written = 0;
  let bitsSinceSymbol = 0;
  let onesSinceSymbol = true;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1;
      const next = children[2 * node + bit]!;
      if (next < 0) {
        if (next === ~EOS) return -1;
        target[written++] = ~next;
        node = 0;
        bitsSinceSymbol = 0;
        onesSinceSymbol = true;
      } else {
        node = next;
        bitsSinceSymbol++;
        if (bit === 0) onesSinceSymbol = false;
      }
    }
  }
  return bitsSinceSymbol > 7 || !onesSinceSymbol ? -1 : written;
}
