import { isUtf8 } from 'node:buffer';
import { literalEnd, numberEnd, skipSpace, stringEnd, stringValue, wordsUnder } from './json-text';
import type { RequestApi } from './request-api';
import type { ScannedBody } from './scanned-body';

/** Deeper nesting is refused; Go's encoding/json has the same bound, and no request of these APIs comes near it. */
const MAX_DEPTH = 10_000;

const OBJECT = 1;
const ARRAY = 2;

enum Field {
  None,
  Model,
  Stream,
  MaxTokens,
  MaxOutputTokens,
  MaxCompletionTokens,
  Prompt,
  PromptEmbeds,
  Messages,
  Input,
  CacheSalt,
  StreamOptions,
  N,
  BestOf,
}

const FIELDS: readonly (readonly [name: string, field: Field])[] = [
  ['model', Field.Model],
  ['stream', Field.Stream],
  ['max_tokens', Field.MaxTokens],
  ['max_output_tokens', Field.MaxOutputTokens],
  ['max_completion_tokens', Field.MaxCompletionTokens],
  ['prompt', Field.Prompt],
  ['prompt_embeds', Field.PromptEmbeds],
  ['messages', Field.Messages],
  ['input', Field.Input],
  ['cache_salt', Field.CacheSalt],
  ['stream_options', Field.StreamOptions],
  ['n', Field.N],
  ['best_of', Field.BestOf],
];

const FIELD_BYTES = FIELDS.map(([name, field]) => ({ bytes: Buffer.from(name), field }));
const FIELD_BY_NAME = new Map(FIELDS);

/** The first that is there is the one that engines go by. */
const BOUNDS: readonly Field[] = [Field.MaxCompletionTokens, Field.MaxOutputTokens, Field.MaxTokens];

/** A `ScannedBody` that is filled again for each request. */
export class BodyScan implements ScannedBody {
  error: string | undefined;
  model: string | undefined;
  modelStart = -1;
  modelEnd = -1;
  stream = false;
  maxTokens = -1;
  choices = 1;
  readonly bounds = new Int32Array(2 * BOUNDS.length).fill(-1);
  promptStart = -1;
  promptEnd = -1;
  cacheSalt: string | undefined;
  includeUsage = false;
  streamOptionsStart = -1;
  streamOptionsEnd = -1;

  reset(): void {
    this.error = undefined;
    this.model = undefined;
    this.modelStart = -1;
    this.modelEnd = -1;
    this.stream = false;
    this.maxTokens = -1;
    this.choices = 1;
    this.bounds.fill(-1);
    this.promptStart = -1;
    this.promptEnd = -1;
    this.cacheSalt = undefined;
    this.includeUsage = false;
    this.streamOptionsStart = -1;
    this.streamOptionsEnd = -1;
  }
}

// Start and end of the last value of each top-level field; -1 when absent. The scan is synchronous, so one set serves all.
const starts = new Int32Array(FIELDS.length + 1);
const ends = new Int32Array(FIELDS.length + 1);
const containers = new Uint8Array(MAX_DEPTH + 1);

/**
 * One pass over a request body: proves that it is JSON (RFC 8259, UTF-8) and takes what routing needs from the top level. The last of
 * duplicate keys wins, as with `JSON.parse`. `passthrough` bodies are not looked at.
 */
export function scanBody(api: RequestApi, body: Buffer, into: BodyScan): void {
  into.reset();
  if (api === 'passthrough') return;
  starts.fill(-1);
  const bad = isUtf8(body) ? validate(body) : NOT_UTF8;
  if (bad !== OK) {
    into.error = `error unmarshaling request bodyMap: ${problemText(bad, body)}`;
    return;
  }
  collect(body, into);
  into.error = promptProblem(api, body, into);
}

const OK = -1;
const NOT_UTF8 = -2;
const NOT_OBJECT = -3;
const TOO_DEEP = -4;

function problemText(bad: number, body: Buffer): string {
  if (bad === NOT_UTF8) return 'the body is not UTF-8';
  if (bad === NOT_OBJECT) return 'the body is not a JSON object';
  if (bad === TOO_DEEP) return `nested deeper than ${MAX_DEPTH}`;
  return bad >= body.length ? 'unexpected end of JSON input' : `unexpected character at byte ${bad}`;
}

/** OK, one of the negative problems, or the offset of the first wrong byte. */
function validate(body: Buffer): number {
  const end = body.length;
  const words = wordsUnder(body);
  let depth = 0;
  let field = Field.None;
  let i = 0;
  let isObject = true;
  for (;;) {
    // a value starts here
    i = skipSpace(body, i, end);
    if (i >= end) return end;
    if (depth === 1) starts[field] = i;
    const c = body[i]!;
    let opened = false;
    if (c === 0x22) i = stringEnd(body, i + 1, end, words);
    else if (c === 0x7b || c === 0x5b) {
      if (depth === MAX_DEPTH) return TOO_DEEP;
      isObject = c === 0x7b;
      containers[++depth] = isObject ? OBJECT : ARRAY;
      i = skipSpace(body, i + 1, end);
      opened = true;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) i = numberEnd(body, i, end);
    else if (c === 0x74 || c === 0x66 || c === 0x6e) i = literalEnd(body, i, end);
    else return i;
    if (i < 0) return ~i;

    // behind a value, or behind an opening bracket: separators and closing brackets up to the next value
    for (;;) {
      if (!opened) {
        if (depth === 1) ends[field] = i;
        if (depth === 0) {
          i = skipSpace(body, i, end);
          if (i < end) return i;
          return isObjectText(body) ? OK : NOT_OBJECT;
        }
        i = skipSpace(body, i, end);
      }
      if (i >= end) return end;
      const separator = body[i]!;
      if (separator === (isObject ? 0x7d : 0x5d)) {
        i++;
        depth--;
        isObject = containers[depth] === OBJECT;
        opened = false;
        continue;
      }
      if (!opened) {
        if (separator !== 0x2c) return i;
        i++;
        if (isObject) i = skipSpace(body, i, end);
      }
      if (!isObject) break;
      if (i >= end || body[i] !== 0x22) return i;
      const key = i + 1;
      i = stringEnd(body, key, end, words);
      if (i < 0) return ~i;
      if (depth === 1) field = fieldOf(body, key, i - 1);
      i = skipSpace(body, i, end);
      if (i >= end || body[i] !== 0x3a) return i;
      i++;
      break;
    }
  }
}

function isObjectText(body: Buffer): boolean {
  return body[skipSpace(body, 0, body.length)] === 0x7b;
}

function fieldOf(body: Buffer, start: number, end: number): Field {
  const length = end - start;
  for (let index = 0; index < FIELD_BYTES.length; index++) {
    const candidate = FIELD_BYTES[index]!;
    if (candidate.bytes.length === length && sameBytes(body, start, candidate.bytes)) return candidate.field;
  }
  for (let i = start; i < end; i++) {
    if (body[i] === 0x5c) return FIELD_BY_NAME.get(stringValue(body, start - 1, end + 1)) ?? Field.None;
  }
  return Field.None;
}

function sameBytes(body: Buffer, start: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (body[start + i] !== expected[i]) return false;
  return true;
}

function collect(body: Buffer, into: BodyScan): void {
  const model = starts[Field.Model]!;
  if (model >= 0) {
    into.modelStart = model;
    into.modelEnd = ends[Field.Model]!;
    if (body[model] === 0x22 && into.modelEnd - model > 2) into.model = stringValue(body, model, into.modelEnd);
  }
  const stream = starts[Field.Stream]!;
  into.stream = stream >= 0 && body[stream] === 0x74;
  for (let index = 0; index < BOUNDS.length; index++) {
    const field = BOUNDS[index]!;
    if (into.maxTokens < 0) into.maxTokens = wholeNumber(body, field);
    if (starts[field]! < 0) continue;
    into.bounds[2 * index] = starts[field]!;
    into.bounds[2 * index + 1] = ends[field]!;
  }
  into.choices = Math.max(1, wholeNumber(body, Field.N), wholeNumber(body, Field.BestOf));
  const salt = starts[Field.CacheSalt]!;
  if (salt >= 0 && body[salt] === 0x22) into.cacheSalt = stringValue(body, salt, ends[Field.CacheSalt]!);
  const options = starts[Field.StreamOptions]!;
  if (options >= 0) {
    into.streamOptionsStart = options;
    into.streamOptionsEnd = ends[Field.StreamOptions]!;
  }
  if (options >= 0 && body[options] === 0x7b) into.includeUsage = includeUsage(body, options, ends[Field.StreamOptions]!);
}

/** The field as a whole number of at least 0, else -1 (the engine refuses what is not one). */
function wholeNumber(body: Buffer, field: Field): number {
  const start = starts[field]!;
  if (start < 0) return -1;
  const value = Number(body.toString('latin1', start, ends[field]!));
  return Number.isSafeInteger(value) && value >= 0 ? value : -1;
}

function includeUsage(body: Buffer, start: number, end: number): boolean {
  const options = JSON.parse(body.toString('utf8', start, end)) as Record<string, unknown>;
  return options['include_usage'] === true;
}

/**
 * Sets the prompt's range; the problem when the API cannot work without a prompt and there is none. Clients tell such errors by their
 * text, so it is that of llm-d's picker.
 */
function promptProblem(api: RequestApi, body: Buffer, into: BodyScan): string | undefined {
  switch (api) {
    case 'chat':
      return messages(body, into) ? undefined : 'invalid chat completions request: must have valid messages field';
    case 'messages':
      return messages(body, into) ? undefined : 'invalid messages request: must have at least one message';
    case 'completions':
      return prompt(body, into, Field.Prompt) || starts[Field.PromptEmbeds]! >= 0
        ? undefined
        : 'invalid completions request: must have prompt field';
    case 'embeddings':
      // chat embeddings of vLLM carry `messages`
      return prompt(body, into, Field.Input) || messages(body, into)
        ? undefined
        : 'invalid embeddings request: must have input field';
    default:
      // a response may continue an earlier one or name a stored prompt
      prompt(body, into, Field.Input);
      return undefined;
  }
}

function messages(body: Buffer, into: BodyScan): boolean {
  return body[starts[Field.Messages]!] === 0x5b && prompt(body, into, Field.Messages);
}

function prompt(body: Buffer, into: BodyScan, field: Field): boolean {
  const start = starts[field]!;
  if (start < 0) return false;
  const end = ends[field]!;
  const open = body[start]!;
  if (open === 0x22) {
    if (end - start === 2) return false;
  } else if (open === 0x5b) {
    if (skipSpace(body, start + 1, end) === end - 1) return false;
  } else return false;
  into.promptStart = start;
  into.promptEnd = end;
  return true;
}
