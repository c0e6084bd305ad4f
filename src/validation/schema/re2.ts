/**
 * Patterns of CustomResourceDefinitions and of CEL `matches` are RE2 (Go's regexp). This translates them to JavaScript, so that `\s`,
 * `.`, `\PC`, `(?i)` and a class such as `[a-z-_]` mean what they mean to an API server. Every character is written out, so nothing
 * is left to a difference of syntax; what JavaScript cannot express is refused, never approximated.
 * Syntax: https://github.com/google/re2/wiki/Syntax as parsed by Go's regexp/syntax.
 */
export function compileRe2(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const regExp = new Translation(pattern).toRegExp();
  if (compiled.size >= MAX_KEPT_PATTERNS) compiled.clear(); // patterns of CEL rules may come from the manifest
  compiled.set(pattern, regExp);
  return regExp;
}

const MAX_KEPT_PATTERNS = 4096;
const compiled = new Map<string, RegExp>();

/** A pattern that RE2 would refuse, or that has no exact JavaScript form. */
export class UnsupportedPatternError extends Error {
  public constructor(pattern: string, reason: string) {
    super(`cannot run the pattern ${JSON.stringify(pattern)}: ${reason}`);
    this.name = 'UnsupportedPatternError';
  }
}

const PERL_CLASSES: Record<string, string> = { d: '0-9', w: '0-9A-Za-z_', s: '\\t\\n\\f\\r ' };

const POSIX_CLASSES: Record<string, string> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const CONTROL_ESCAPES: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const GENERAL_CATEGORY = /^(?:C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;

class Translation {
  private readonly characters: readonly string[];
  private at = 0;
  private source = '';
  private depth = 0;
  private flags = 'v';
  private dotMatchesNewline = false;
  private isMultiline = false;

  public constructor(private readonly pattern: string) {
    this.characters = [...pattern];
  }

  public toRegExp(): RegExp {
    while (this.at < this.characters.length) this.source += this.next();
    try {
      return new RegExp(this.source, this.flags);
    } catch (error) {
      throw this.unsupported((error as Error).message);
    }
  }

  // A flag group rules what follows it up to the end of its group. `i` is a flag of the whole expression here, so only anchors may
  // stand before it: JavaScript's own modifiers for parts of a pattern are missing in Node 20.
  private flagGroup(flags: string): void {
    if (this.depth > 0) throw this.unsupported(`flags inside a group (?${flags})`);
    for (const flag of flags) {
      if (flag === 's') this.dotMatchesNewline = true;
      else if (flag === 'm') this.isMultiline = true;
      else if (flag === 'i' && /^\^*$/.test(this.source)) this.flags = 'iv';
      else throw this.unsupported(`flag ${flag}`);
    }
  }

  private next(): string {
    const character = this.take();
    switch (character) {
      case '.':
        return this.dotMatchesNewline ? '[\\s\\S]' : '[^\\n]';
      case '^':
        return this.isMultiline ? '(?<![^\\n])' : '^';
      case '$':
        return this.isMultiline ? '(?![^\\n])' : '$';
      case ')':
        this.depth -= 1;
        return character;
      case '|':
      case '*':
      case '+':
      case '?':
        return character;
      case '(':
        return this.group();
      case '[':
        return this.characterClass();
      case '{':
        return this.repetition();
      case '\\':
        return this.escape();
      default:
        return literal(character.codePointAt(0)!);
    }
  }

  private group(): string {
    const rest = this.characters.slice(this.at).join('');
    const flags = /^\?([a-zA-Z]+)\)/.exec(rest);
    if (flags !== null) {
      this.flagGroup(flags[1]!);
      this.at += flags[0].length;
      return '';
    }
    this.depth += 1;
    const start = /^\?(?::|P?<\w+>)/.exec(rest)?.[0]; // nothing reads what a group captured
    if (start !== undefined) this.at += start.length;
    else if (rest.startsWith('?')) throw this.unsupported(`group (${rest.slice(0, 8)}`);
    return '(?:';
  }

  // A brace that does not begin a count is a literal.
  private repetition(): string {
    const count = /^(\d+)(?:,(\d*))?\}/.exec(this.characters.slice(this.at).join(''));
    if (count === null) return literal(0x7b);
    this.at += count[0].length;
    return `{${count[0]}`;
  }

  private escape(): string {
    const character = this.peek();
    if (character === undefined) throw this.unsupported('trailing backslash');
    if (character === 'Q') return this.quoted();
    const anchors: Record<string, string> = { A: '^', z: '$', b: '\\b', B: '\\B' };
    const anchor = anchors[character];
    if (anchor !== undefined) {
      this.at += 1;
      return anchor;
    }
    const set = this.classEscape();
    return set ?? literal(this.escapedCodePoint());
  }

  private quoted(): string {
    this.at += 1;
    const rest = this.characters.slice(this.at).join('');
    const end = rest.indexOf('\\E');
    const text = end === -1 ? rest : rest.slice(0, end);
    this.at += [...text].length + (end === -1 ? 0 : 2);
    return [...text].map((character) => literal(character.codePointAt(0)!)).join('');
  }

  private characterClass(): string {
    const negated = this.peek() === '^';
    if (negated) this.at += 1;
    let content = '';
    let isFirst = true;
    while (this.peek() !== ']' || isFirst) {
      if (this.peek() === undefined) throw this.unsupported('missing closing ]');
      content += this.classItem();
      isFirst = false;
    }
    this.at += 1;
    return `[${negated ? '^' : ''}${content}]`;
  }

  private classItem(): string {
    const rest = this.characters.slice(this.at).join('');
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      const content = POSIX_CLASSES[posix[2]!];
      if (content === undefined) throw this.unsupported(`character class ${posix[0]}`);
      this.at += posix[0].length;
      return `[${posix[1]}${content}]`;
    }
    if (this.peek() === '\\') {
      this.at += 1;
      const set = this.classEscape();
      if (set !== undefined) return set;
      this.at -= 1;
    }
    const low = this.classCharacter();
    if (this.peek() !== '-' || this.characters[this.at + 1] === ']' || this.characters[this.at + 1] === undefined)
      return literal(low);
    this.at += 1;
    const high = this.classCharacter();
    if (high < low) throw this.unsupported('range out of order in a character class');
    return `${literal(low)}-${literal(high)}`;
  }

  private classCharacter(): number {
    const character = this.take();
    return character === '\\' ? this.escapedCodePoint() : character.codePointAt(0)!;
  }

  /** After a backslash: `\d`, `\W`, `\pN`, `\P{Greek}`, or undefined without moving. */
  private classEscape(): string | undefined {
    const character = this.peek();
    if (character === undefined) return undefined;
    const perl = PERL_CLASSES[character.toLowerCase()];
    if (perl !== undefined) {
      this.at += 1;
      return `[${character === character.toLowerCase() ? '' : '^'}${perl}]`;
    }
    if (character !== 'p' && character !== 'P') return undefined;
    const property = /^[pP](?:([A-Z])|\{(\^?)(\w+)\})/.exec(this.characters.slice(this.at).join(''));
    if (property === null) throw this.unsupported('malformed Unicode class');
    this.at += property[0].length;
    const name = property[1] ?? property[3]!;
    if (name === 'Any') return character === 'p' ? '[\\s\\S]' : '[]';
    const isNegated = (character === 'P') !== (property[2] === '^');
    return `\\${isNegated ? 'P' : 'p'}{${GENERAL_CATEGORY.test(name) ? name : `Script=${name}`}}`;
  }

  /** After a backslash, one character. */
  private escapedCodePoint(): number {
    const rest = this.characters.slice(this.at).join('');
    const numeric = /^x([0-9A-Fa-f]{2})|^x\{([0-9A-Fa-f]+)\}|^(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (numeric !== null) {
      this.at += numeric[0].length;
      const codePoint = Number.parseInt(numeric[1] ?? numeric[2] ?? numeric[3]!, numeric[3] === undefined ? 16 : 8);
      if (codePoint > 0x10ffff) throw this.unsupported(`escape \\${numeric[0]}`);
      return codePoint;
    }
    const character = this.take();
    const control = CONTROL_ESCAPES[character];
    if (control !== undefined) return control;
    // Punctuation stands for itself; a letter or digit here is a back reference or something that RE2 does not know.
    if (!/^[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$/.test(character)) throw this.unsupported(`escape \\${character}`);
    return character.codePointAt(0)!;
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private take(): string {
    const character = this.characters[this.at];
    if (character === undefined) throw this.unsupported('unexpected end');
    this.at += 1;
    return character;
  }

  private unsupported(reason: string): UnsupportedPatternError {
    return new UnsupportedPatternError(this.pattern, reason);
  }
}

function literal(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /^[0-9A-Za-z_]$/.test(character) ? character : `\\u{${codePoint.toString(16)}}`;
}
