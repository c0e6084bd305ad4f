/** Objects of an answer whose keys matter. */
export enum Place {
  Other,
  /** The answer, or the data of one event. */
  Answer,
  /** `response` of the Responses API, `message` of Anthropic's message_start. */
  Wrapped,
  Usage,
  Details,
}

export enum Member {
  None,
  Model,
  Wrapped,
  Usage,
  Details,
  FirstCount,
  Prompt = FirstCount,
  Output,
  CachedPart,
  CacheRead,
  CacheCreation,
}

interface Known {
  readonly bytes: Buffer;
  readonly member: Member;
}

const known = (name: string, member: Member): Known => ({ bytes: Buffer.from(name), member });

/** By place. */
const NAMES: Record<Place, readonly Known[]> = {
  [Place.Other]: [],
  [Place.Answer]: [
    known('model', Member.Model),
    known('usage', Member.Usage),
    known('response', Member.Wrapped),
    known('message', Member.Wrapped),
  ],
  [Place.Wrapped]: [known('model', Member.Model), known('usage', Member.Usage)],
  [Place.Usage]: [
    known('prompt_tokens', Member.Prompt),
    known('completion_tokens', Member.Output),
    known('prompt_tokens_details', Member.Details),
    known('input_tokens', Member.Prompt),
    known('output_tokens', Member.Output),
    known('input_tokens_details', Member.Details),
    known('cache_read_input_tokens', Member.CacheRead),
    known('cache_creation_input_tokens', Member.CacheCreation),
  ],
  [Place.Details]: [known('cached_tokens', Member.CachedPart)],
};

const MAX_NAME = 27;

/** Collects a key that may arrive in several chunks. Engines do not escape these names, so a key with an escape is another one. */
export class KeyMatcher {
  private readonly bytes = new Uint8Array(MAX_NAME);
  private length = 0;

  start(): void {
    this.length = 0;
  }

  add(byte: number): void {
    if (this.length < MAX_NAME) this.bytes[this.length] = byte;
    this.length++;
  }

  match(place: Place): Member {
    const candidates = NAMES[place];
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index]!;
      if (candidate.bytes.length === this.length && this.same(candidate.bytes)) return candidate.member;
    }
    return Member.None;
  }

  private same(expected: Buffer): boolean {
    for (let i = 0; i < expected.length; i++) if (this.bytes[i] !== expected[i]) return false;
    return true;
  }
}
