import type { ServerResponse } from 'node:http';
import { seededRandom } from '../core/random';
import { tokenId, tokenize } from '../core/tokenizer';
import { badRequest } from './api-error';
import { Generation, type Served } from './generation';
import { type Body, positiveInteger } from './request-fields';
import { sendJson } from './respond';

const DEFAULT_DIMENSIONS = 384;

/** `POST /v1/embeddings`: unit vectors that are equal for equal texts. Each text is a prefill of its own. */
export function embeddings(served: Served, body: Body, response: ServerResponse): void {
  const inputs = typeof body['input'] === 'string' ? [body['input']] : body['input'];
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((input) => typeof input === 'string' && input !== '')) {
    throw badRequest('input must be a text, or a list of texts, none of them empty', 'input');
  }
  const encoding = body['encoding_format'] ?? 'float';
  if (encoding !== 'float' && encoding !== 'base64')
    throw badRequest('encoding_format must be float or base64', 'encoding_format');
  const dimensions = positiveInteger(body, 'dimensions') ?? DEFAULT_DIMENSIONS;

  let left = inputs.length;
  const running = inputs.map((input: string) =>
    Generation.start(
      served,
      { model: body['model'], prompt: input, echoed: '', maxTokens: 1, ignoreEos: true },
      { token: () => undefined, finished: () => --left === 0 && answer() },
    ),
  );
  response.once('close', () => {
    for (const generation of running) generation.abort();
  });

  const answer = () => {
    const tokens = inputs.reduce((sum: number, input: string) => sum + tokenize(input).ids.length, 0);
    sendJson(response, 200, {
      id: `embd-${running[0]!.id}`,
      object: 'list',
      created: running[0]!.createdSeconds,
      model: running[0]!.model,
      data: inputs.map((input: string, index) => ({
        object: 'embedding',
        index,
        embedding: encoded(vector(input, dimensions), encoding),
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  };
}

function vector(text: string, dimensions: number): Float32Array {
  const random = seededRandom(tokenId(text));
  const values = Float32Array.from({ length: dimensions }, () => 2 * random() - 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function encoded(values: Float32Array, encoding: 'float' | 'base64'): number[] | string {
  return encoding === 'float' ? [...values] : Buffer.from(values.buffer).toString('base64');
}
