import { type RandomSource, SeededRandom } from '../../shared/random';

/** One request of a run: its tokens stand for the text, four bytes each. */
export interface TrafficRequest {
  readonly promptTokens: Int32Array;
  readonly outputTokens: number;
  /** The LoRA adapter that is to answer. @default the base model */
  readonly adapter?: string;
  /** What the client asks next, a while after the answer; undefined when it is done. */
  readonly next?: { readonly afterMs: number; request(answer: Int32Array): TrafficRequest };
}

/** Open-loop traffic: requests that arrive whatever becomes of the earlier ones, and what follows from them. */
export interface Traffic {
  readonly name: string;
  /** Adapters that its requests name, all of which every engine has. @default none */
  readonly adapters?: readonly string[];
  /** The first requests, in order of time. */
  arrivals(seed: number, untilMs: number): { readonly atMs: number; readonly request: TrafficRequest }[];
}

/** Makes texts that share nothing unless they are the same. */
export class Texts {
  private readonly random: RandomSource;

  public constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  public between(min: number, max: number): number {
    return min + Math.floor(this.random.next() * (max - min + 1));
  }

  public chance(): number {
    return this.random.next();
  }

  /** Exponential, for the gaps of a Poisson process. */
  public gapMs(meanMs: number): number {
    return -Math.log(1 - this.random.next()) * meanMs;
  }

  /** From 0 to below `count`, the k-th 1/k as likely as the first (Zipf's law). */
  public rank(count: number): number {
    let left = this.random.next() * harmonic(count);
    let rank = 0;
    while (rank < count - 1 && (left -= 1 / (rank + 1)) >= 0) rank++;
    return rank;
  }

  public text(tokens: number): Int32Array {
    return Int32Array.from({ length: tokens }, () => Math.floor(this.random.next() * 2 ** 31));
  }
}

function harmonic(count: number): number {
  let sum = 0;
  for (let k = 1; k <= count; k++) sum += 1 / k;
  return sum;
}

export function joined(...parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Poisson arrivals at `perSecond` of what `prepare` returns makes. */
export function poisson(name: string, perSecond: number, prepare: (texts: Texts) => () => TrafficRequest): Traffic {
  return {
    name: `${name} ${perSecond}/s`,
    arrivals: (seed, untilMs) => {
      const texts = new Texts(seed);
      const make = prepare(texts);
      const arrivals = [];
      for (let atMs = texts.gapMs(1e3 / perSecond); atMs < untilMs; atMs += texts.gapMs(1e3 / perSecond)) {
        arrivals.push({ atMs, request: make() });
      }
      return arrivals;
    },
  };
}

const answerTokens = (texts: Texts): number => texts.between(20, 60);

/** 24 system prompts of 2,000 tokens, each with about 130 new ones. */
export function sharedPrefixes(perSecond: number): Traffic {
  return poisson('shared', perSecond, (texts) => {
    const systems = Array.from({ length: 24 }, () => texts.text(2_000));
    return () => ({
      promptTokens: joined(systems[texts.between(0, 23)]!, texts.text(texts.between(80, 180))),
      outputTokens: answerTokens(texts),
    });
  });
}

/** The same, but half of the requests have the same system prompt. */
export function hotPrefix(perSecond: number): Traffic {
  return poisson('skewed', perSecond, (texts) => {
    const systems = Array.from({ length: 24 }, () => texts.text(2_000));
    return () => ({
      promptTokens: joined(systems[texts.chance() < 0.5 ? 0 : texts.between(1, 23)]!, texts.text(texts.between(80, 180))),
      outputTokens: answerTokens(texts),
    });
  });
}

/** Conversations of 6 turns; the rate counts turns. The next one comes 1 s on average after the answer. */
export function conversations(perSecond: number): Traffic {
  const turns = 6;
  const turn = (texts: Texts, history: Int32Array, left: number): TrafficRequest => ({
    promptTokens: joined(history, texts.text(texts.between(100, 200))),
    outputTokens: answerTokens(texts),
    ...(left === 1
      ? {}
      : {
          next: {
            afterMs: texts.gapMs(1_000),
            request(answer: Int32Array): TrafficRequest {
              return turn(texts, answer, left - 1);
            },
          },
        }),
  });
  const { arrivals } = poisson(
    'turns',
    perSecond / turns,
    (texts) => () => turn(texts, texts.text(texts.between(300, 700)), turns),
  );
  return { name: `turns ${perSecond}/s`, arrivals };
}

/** Prompts that share nothing, 15 % of them long. */
export function uniquePrompts(perSecond: number): Traffic {
  return poisson('mixed', perSecond, (texts) => () => ({
    promptTokens: texts.text(texts.chance() < 0.15 ? texts.between(1_500, 2_500) : texts.between(100, 300)),
    outputTokens: answerTokens(texts),
  }));
}

/** Questions about 12 documents of 3,500 tokens. */
export function longContext(perSecond: number): Traffic {
  return poisson('long', perSecond, (texts) => {
    const documents = Array.from({ length: 12 }, () => texts.text(3_500));
    return () => ({
      promptTokens: joined(documents[texts.between(0, 11)]!, texts.text(texts.between(30, 90))),
      outputTokens: answerTokens(texts),
    });
  });
}

/**
 * Eight LoRA adapters, the k-th asked for 1/k as often as the first, and the base model for three in ten requests. Each has a system prompt of
 * 400 tokens of its own.
 */
export function mixedAdapters(perSecond: number): Traffic {
  const adapters = Array.from({ length: 8 }, (_, i) => `adapter-${i + 1}`);
  const traffic = poisson('lora', perSecond, (texts) => {
    const systems = [...adapters, undefined].map((adapter) => ({ adapter, system: texts.text(400) }));
    return () => {
      const { adapter, system } = systems[texts.chance() < 0.3 ? adapters.length : texts.rank(adapters.length)]!;
      const promptTokens = joined(system, texts.text(texts.between(60, 300)));
      return { promptTokens, outputTokens: answerTokens(texts), ...(adapter === undefined ? {} : { adapter }) };
    };
  });
  return { ...traffic, adapters };
}
