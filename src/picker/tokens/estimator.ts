import { OutputQuantile } from './output-quantile';

/** Bytes of JSON text that are one token, before an engine has said better: what tokenizers make of English prose in chat messages. */
const USUAL_BYTES_PER_TOKEN = 4;
/** Output of a request that does not bound it, before any was seen. */
const USUAL_OUTPUT_TOKENS = 512;
/** Tokens of an image or another medium inside the body: about what vision models make of one, whatever its bytes. */
const MEDIUM_TOKENS = 1_000;
/** Share of what was learned before that one more answer leaves: about the last fifty answers count. */
const KEPT_RATIO = 0.98;
/** No tokenizer is far outside of these; an engine that says so counts something else. */
const MIN_BYTES_PER_TOKEN = 0.5;
const MAX_BYTES_PER_TOKEN = 64;
const MAX_MODELS = 1_000;

const BASE64 = Buffer.from(';base64,');
const QUOTE = 0x22;

/** What was learned of one model. */
export class ModelEstimate {
  private bytes = USUAL_BYTES_PER_TOKEN;
  private tokens = 1;
  private readonly output = new OutputQuantile();

  public get bytesPerToken(): number {
    return this.bytes / this.tokens;
  }

  public inputTokens(size: PromptSize): number {
    return Math.ceil(size.textBytes / this.bytesPerToken) + size.media * MEDIUM_TOKENS;
  }

  /** @param maxTokens bound of the request, -1 without one */
  public outputTokens(maxTokens: number): number {
    const usual = this.output.p90;
    if (maxTokens < 0) return usual ?? USUAL_OUTPUT_TOKENS;
    return usual === undefined ? maxTokens : Math.min(maxTokens, usual);
  }

  public learn(size: PromptSize, inputTokens: number, outputTokens: number): void {
    // how many tokens a medium is differs too much to learn a ratio of text from it
    if (size.media === 0 && inputTokens > 0) {
      const ratio = size.textBytes / inputTokens;
      if (ratio >= MIN_BYTES_PER_TOKEN && ratio <= MAX_BYTES_PER_TOKEN) {
        this.bytes = this.bytes * KEPT_RATIO + size.textBytes;
        this.tokens = this.tokens * KEPT_RATIO + inputTokens;
      }
    }
    if (outputTokens > 0) this.output.add(outputTokens);
  }
}

/** Estimates of all models; those beyond the thousandth share one. */
export class TokenEstimator {
  private readonly models = new Map<string, ModelEstimate>();
  private readonly others = new ModelEstimate();

  public of(model: string): ModelEstimate {
    const known = this.models.get(model);
    if (known !== undefined) return known;
    if (this.models.size >= MAX_MODELS) return this.others;
    const estimate = new ModelEstimate();
    this.models.set(model, estimate);
    return estimate;
  }
}

export interface PromptSize {
  /** Without media in base64. */
  readonly textBytes: number;
  readonly media: number;
}

/** Size of the prompt between two offsets of a body. */
export function promptSize(body: Buffer, start: number, end: number): PromptSize {
  let textBytes = end - start;
  let media = 0;
  for (let at = body.indexOf(BASE64, start); at >= 0 && at < end; at = body.indexOf(BASE64, at)) {
    const from = at + BASE64.length;
    const quote = body.indexOf(QUOTE, from);
    const to = quote < 0 ? end : Math.min(quote, end);
    textBytes -= to - from;
    media++;
    at = to;
  }
  return { textBytes, media };
}
