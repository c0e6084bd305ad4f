/**
 * The lexical half of RFC 8259 over bytes: where strings, numbers and literals end. Every function returns the offset behind the
 * token, or the bitwise complement of the offset of the first wrong byte (always negative).
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

let viewed: ArrayBufferLike | undefined;
let view: Int32Array = new Int32Array(0);

/**
 * The array buffer under the bytes as words, for `stringEnd`, which reads four bytes at a time. Consecutive bodies often lie in the
 * same pooled buffer, so the last view is kept.
 */
export function wordsUnder(bytes: Buffer): Int32Array {
  if (viewed !== bytes.buffer) {
    viewed = bytes.buffer;
    view = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  }
  return view;
}

/**
 * `at` is behind the opening quote. Eight bytes are skipped at once unless one of them may be a quote, a backslash or a control
 * character: the high bits of (x - 0x01…01) & ~x show a zero byte in a word, and the same with 0x20 a byte below 0x20. Taking a quote or
 * a backslash away by exclusive or leaves high bits alone, so one & ~x serves all three. A borrow can only report too much, and then the
 * bytes are looked at one by one.
 */
export function stringEnd(bytes: Buffer, at: number, end: number, words: Int32Array): number {
  const offset = bytes.byteOffset;
  const lastWord = (end + offset) >> 2;
  let i = at;
  for (;;) {
    if (((i + offset) & 3) === 0) {
      let word = (i + offset) >> 2;
      while (word + 1 < lastWord) {
        const v = words[word]!;
        const w = words[word + 1]!;
        const first = ((v - 0x20202020) | ((v ^ 0x22222222) - 0x01010101) | ((v ^ 0x5c5c5c5c) - 0x01010101)) & ~v;
        const second = ((w - 0x20202020) | ((w ^ 0x22222222) - 0x01010101) | ((w ^ 0x5c5c5c5c) - 0x01010101)) & ~w;
        if (((first | second) & 0x80808080) !== 0) {
          if ((first & 0x80808080) === 0) word++;
          break;
        }
        word += 2;
      }
      i = (word << 2) - offset;
    }
    // to the next word border, or through the word that was reported
    const stop = Math.min(end, i + 4 - ((i + offset) & 3));
    if (i >= end) return ~end;
    while (i < stop) {
      const c = bytes[i]!;
      if (c === QUOTE) return i + 1;
      if (c < 0x20) return ~i;
      if (c === BACKSLASH) {
        i = escapeEnd(bytes, i, end);
        if (i < 0) return i;
      } else i++;
    }
  }
}

function escapeEnd(bytes: Buffer, at: number, end: number): number {
  if (at + 1 >= end) return ~end;
  switch (bytes[at + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      for (let i = at + 2; i < at + 6; i++) {
        if (i >= end) return ~end;
        if (!isHexDigit(bytes[i]!)) return ~i;
      }
      return at + 6;
    default:
      return ~(at + 1);
  }
}

function isHexDigit(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

/** `at` is on `-` or a digit. */
export function numberEnd(bytes: Buffer, at: number, end: number): number {
  let i = at;
  if (bytes[i] === 0x2d) i++;
  if (i >= end) return ~end;
  const first = bytes[i]!;
  if (first === 0x30) i++;
  else if (first >= 0x31 && first <= 0x39) i = digitsEnd(bytes, i, end);
  else return ~i;
  if (i < end && bytes[i] === 0x2e) {
    const fraction = digitsEnd(bytes, i + 1, end);
    if (fraction === i + 1) return ~fraction;
    i = fraction;
  }
  if (i < end && (bytes[i]! | 0x20) === 0x65) {
    let digits = i + 1;
    if (digits < end && (bytes[digits] === 0x2b || bytes[digits] === 0x2d)) digits++;
    i = digitsEnd(bytes, digits, end);
    if (i === digits) return ~i;
  }
  return i;
}

function digitsEnd(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++;
  return i;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** `at` is on the first letter. */
export function literalEnd(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]!;
  const literal = first === 0x74 ? TRUE : first === 0x66 ? FALSE : NULL;
  for (let i = 0; i < literal.length; i++) {
    if (at + i >= end) return ~end;
    if (bytes[at + i] !== literal[i]) return ~(at + i);
  }
  return at + literal.length;
}

/** First byte at or behind `at` that is not JSON white space; `end` when there is none. */
export function skipSpace(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const c = bytes[i]!;
    if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) break;
    i++;
  }
  return i;
}

/** The text of a valid JSON string, quotes at `start` and `end - 1`. */
export function stringValue(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
