import { KeyMatcher, Member, Place } from './answer-keys';
import { ModelMask } from './model-mask';
import { UsageCounts } from './usage';

enum State {
  /** A value may start: at the root, behind a colon, or inside a part of the answer that is skipped. */
  Value,
  /** A key may start. */
  Key,
  InKey,
  Colon,
  InString,
  /** Inside a string that may be the model's name. */
  InModel,
  Number,
  /** The document is complete, or cannot be understood. */
  Over,
}

const MAX_PLACES = 4;

/**
 * Reads one JSON answer byte by byte as it arrives, and keeps only its place in it, so that the result cannot depend on how the
 * answer was cut into chunks. Takes the counts of `usage` and hides the engine's model name, in the answer object itself and in the
 * object that an event wraps (`response` of the Responses API, `message` of Anthropic); everything else, user text above all, is skipped.
 * Not a validator: an answer that is no JSON passes through.
 */
export class AnswerJson {
  readonly usage = new UsageCounts();
  readonly mask = new ModelMask();
  private readonly keys = new KeyMatcher();
  private readonly places = new Uint8Array(MAX_PLACES + 1);
  private state = State.Value;
  /** Objects entered whose keys matter. */
  private known = 0;
  /** Brackets open inside a part that is skipped. */
  private skipped = 0;
  private escaped = false;
  private member = Member.None;
  private number = 0;
  private fresh = true;

  /** Starts another document; the counts stay. */
  nextDocument(): void {
    if (this.fresh) return;
    this.state = State.Value;
    this.known = 0;
    this.skipped = 0;
    this.member = Member.None;
    this.escaped = false;
    this.fresh = true;
  }

  /** Nothing of a document has been read. */
  get atStart(): boolean {
    return this.fresh;
  }

  get over(): boolean {
    return this.state === State.Over;
  }

  /** A line ended where the document goes on: strings do not span lines. */
  lineEnd(): void {
    if (this.state === State.Number) this.endNumber();
    if (this.state === State.InString || this.state === State.InKey || this.state === State.InModel) {
      this.mask.release();
      this.state = State.Over;
    }
  }

  /** Reads up to `end`, or, with `lines`, to the first line end; returns where it stopped. */
  read(bytes: Buffer, start: number, end: number, lines: boolean): number {
    this.fresh = false;
    let i = start;
    while (i < end) {
      const c = bytes[i]!;
      if (lines && (c === 0x0a || c === 0x0d)) return i;
      switch (this.state) {
        case State.InString:
          i = this.readString(bytes, i, end, lines);
          continue;
        case State.Value:
          if (this.skipped > 0) {
            i = this.skip(bytes, i, end, lines);
            continue;
          }
          this.value(c, i);
          break;
        case State.Key:
          if (c === 0x22) {
            this.escaped = false;
            this.keys.start();
            this.state = State.InKey;
          } else if (c === 0x7d) this.close();
          break;
        case State.InKey:
          if (c === 0x22 && !this.escaped) {
            this.member = this.keys.match(this.places[this.known]!);
            this.state = State.Colon;
          } else {
            this.keys.add(c);
            this.escaped = c === 0x5c && !this.escaped;
          }
          break;
        case State.Colon:
          if (c === 0x3a) this.state = State.Value;
          break;
        case State.InModel:
          if (c === 0x22 && !this.escaped) {
            this.mask.end(bytes, i + 1);
            this.state = State.Value;
          } else {
            this.escaped = c === 0x5c && !this.escaped;
            if (!this.mask.holds(i + 1)) this.state = State.InString;
          }
          break;
        case State.Number:
          if (c >= 0x30 && c <= 0x39) this.number = this.number * 10 + c - 0x30;
          else {
            this.endNumber(c);
            continue;
          }
          break;
        default:
          return lines ? lineEnd(bytes, i, end) : end;
      }
      i++;
    }
    return i;
  }

  private value(c: number, at: number): void {
    switch (c) {
      case 0x22:
        this.escaped = false;
        if (this.member === Member.Model && this.known > 0 && this.mask.active) {
          this.mask.begin(at);
          this.state = State.InModel;
        } else this.state = State.InString;
        return;
      case 0x7b:
        this.open();
        return;
      case 0x5b:
        this.skipped = 1;
        return;
      case 0x7d:
        this.close();
        return;
      case 0x2c:
        if (this.known > 0) this.state = State.Key;
        return;
      case 0x2d:
        this.member = Member.None;
        return;
      default:
        if (this.member >= Member.FirstCount && c >= 0x30 && c <= 0x39 && this.known > 0) {
          this.number = c - 0x30;
          this.state = State.Number;
        }
    }
  }

  private open(): void {
    const place = this.known === 0 ? Place.Answer : placeOf(this.member);
    if (place === Place.Other) {
      this.skipped = 1;
      return;
    }
    this.places[++this.known] = place;
    this.member = Member.None;
    this.state = State.Key;
  }

  private close(): void {
    this.member = Member.None;
    this.known--;
    this.state = this.known <= 0 ? State.Over : State.Value;
  }

  /** Digits ended; a fraction or an exponent makes it no count. */
  private endNumber(next = 0): void {
    this.state = State.Value;
    const member = this.member;
    this.member = Member.None;
    if (next === 0x2e || (next | 0x20) === 0x65 || !Number.isSafeInteger(this.number)) return;
    switch (member) {
      case Member.Prompt:
        this.usage.prompt = this.number;
        return;
      case Member.Output:
        this.usage.output = this.number;
        return;
      case Member.CachedPart:
        this.usage.cachedPart = this.number;
        return;
      case Member.CacheRead:
        this.usage.cacheRead = this.number;
        return;
      case Member.CacheCreation:
        this.usage.cacheCreation = this.number;
        return;
      default:
    }
  }

  /** The hot loop over text: only a quote, a backslash or a line end stops it. */
  private readString(bytes: Buffer, start: number, end: number, lines: boolean): number {
    let i = start;
    if (this.escaped) {
      this.escaped = false;
      i++;
    }
    while (i < end) {
      const c = bytes[i]!;
      if (c === 0x22) {
        this.state = State.Value;
        return i + 1;
      }
      if (c === 0x5c) {
        if (i + 1 >= end) {
          this.escaped = true;
          return end;
        }
        // the escaped byte cannot be a line end of a well-formed answer; if it is one, the caller must see it
        i += lines && bytes[i + 1]! < 0x20 ? 1 : 2;
      } else if (lines && (c === 0x0a || c === 0x0d)) return i;
      else i++;
    }
    return i;
  }

  /** Inside an object or array that does not matter: only brackets and strings count. */
  private skip(bytes: Buffer, start: number, end: number, lines: boolean): number {
    let depth = this.skipped;
    let i = start;
    while (i < end) {
      const c = bytes[i]!;
      if (c === 0x22) {
        this.escaped = false;
        this.state = State.InString;
        i++;
        break;
      }
      const bracket = c | 0x20;
      if (bracket === 0x7b) depth++;
      else if (bracket === 0x7d && --depth === 0) {
        i++;
        this.member = Member.None;
        if (this.known === 0) this.state = State.Over;
        break;
      } else if (lines && (c === 0x0a || c === 0x0d)) break;
      i++;
    }
    this.skipped = depth;
    return i;
  }
}

function placeOf(member: Member): Place {
  switch (member) {
    case Member.Wrapped:
      return Place.Wrapped;
    case Member.Usage:
      return Place.Usage;
    case Member.Details:
      return Place.Details;
    default:
      return Place.Other;
  }
}

function lineEnd(bytes: Buffer, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] !== 0x0a && bytes[i] !== 0x0d) i++;
  return i;
}
