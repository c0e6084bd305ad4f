import { chainHash, chainRoot } from './block-hash';

export type FinishReason = 'stop' | 'length' | 'abort';

/** What the engine is asked to compute. The answer is known beforehand, so that a run can be repeated exactly. */
export interface SequenceRequest {
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Why the answer ends where `outputTokens` end. */
  readonly finishReason: 'stop' | 'length';
  /** LoRA adapter; undefined: the base model. */
  readonly adapter?: string;
  /** The client's limit, for the metric of the same name. */
  readonly maxTokens?: number;
  /** Called once for each output token, in order. */
  readonly onToken?: (index: number, atMs: number) => void;
  /** Called once, after the last token or when the sequence was aborted. */
  readonly onFinish?: (sequence: Sequence) => void;
}

/** One request inside the engine. */
export class Sequence {
  /** Prompt and whole answer; only the first `knownTokens` of them exist yet. */
  readonly tokens: Int32Array;
  readonly blocks: number[] = [];
  /** Chained names of the full blocks among the known tokens. */
  readonly blockNames: number[] = [];
  /** Tokens whose keys and values are in memory. */
  computedTokens = 0;
  /** Output tokens made so far. */
  emittedTokens = 0;
  /** Prompt tokens found in the prefix cache when the sequence first ran. */
  cachedTokens = 0;
  /** Tokens of this sequence in the running step; 0 when it is not in it. */
  stepTokens = 0;
  startedMs = -1;
  firstTokenMs = -1;
  lastTokenMs = -1;
  finishedMs = -1;
  finishReason: FinishReason | undefined;

  constructor(
    readonly request: SequenceRequest,
    readonly arrivedMs: number,
    private readonly blockTokens: number,
  ) {
    this.tokens = new Int32Array(request.promptTokens.length + request.outputTokens.length);
    this.tokens.set(request.promptTokens);
    this.tokens.set(request.outputTokens, request.promptTokens.length);
    this.nameFullBlocks();
  }

  get promptTokens(): number {
    return this.request.promptTokens.length;
  }

  get knownTokens(): number {
    return this.promptTokens + this.emittedTokens;
  }

  get isDecoding(): boolean {
    return this.emittedTokens > 0 && this.computedTokens === this.knownTokens - 1;
  }

  /** The last known token is always computed, because its result is the next token: a prompt is never wholly cached. */
  get cacheableBlocks(): number {
    return Math.floor((this.knownTokens - 1) / this.blockTokens);
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.blockTokens);
  }

  /** Extends `blockNames` over the blocks that have become full. */
  nameFullBlocks(): void {
    const full = Math.floor(this.knownTokens / this.blockTokens);
    for (let i = this.blockNames.length; i < full; i++) {
      const parent = i === 0 ? chainRoot(this.request.adapter) : this.blockNames[i - 1]!;
      this.blockNames.push(chainHash(parent, this.tokens, i * this.blockTokens, (i + 1) * this.blockTokens));
    }
  }
}
