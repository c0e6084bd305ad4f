import { skipSpace } from '../openai/json-text';
import type { RequestApi } from '../openai/request-api';
import type { ScannedBody } from '../openai/scanned-body';
import type { BodyEdit } from './body-edit';

const N = 0x6e;

/** The changes that keep each answer of an engine within `maxTokens`. The body is a JSON object. */
export function outputEdits(api: RequestApi, body: Buffer, { bounds = [] }: ScannedBody, maxTokens: number): BodyEdit[] {
  const text = Buffer.from(String(maxTokens));
  const edits: BodyEdit[] = [];
  let isGiven = false;
  for (let index = 0; index < bounds.length; index += 2) {
    const start = bounds[index]!;
    const end = bounds[index + 1]!;
    if (start < 0) continue;
    isGiven = true;
    // null means none; what is no number is the engine's to refuse
    const value = body[start] === N ? Number.POSITIVE_INFINITY : Number(body.toString('latin1', start, end));
    if (value > maxTokens) edits.push({ start, end, text });
  }
  if (isGiven) return edits.sort((a, b) => a.start - b.start);
  const at = body.indexOf(0x7b) + 1;
  const comma = body[skipSpace(body, at, body.length)] === 0x7d ? '' : ',';
  const name = api === 'responses' ? 'max_output_tokens' : 'max_tokens';
  return [{ start: at, end: at, text: Buffer.from(`"${name}":${maxTokens}${comma}`) }];
}
