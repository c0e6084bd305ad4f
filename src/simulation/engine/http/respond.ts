import type { ServerResponse } from 'node:http';
import { Generation, type GenerationRequest, type Served, type Usage } from './generation';

/** How one API writes what the engine makes. */
export interface Wire {
  /** Whole answer at once. */
  json(generation: Generation, text: string, reason: 'stop' | 'length', usage: Usage): unknown;
  /** What a stream says before, with, and after the tokens; `''` says nothing. */
  opening(generation: Generation): string;
  delta(generation: Generation, text: string, index: number): string;
  closing(generation: Generation, text: string, reason: 'stop' | 'length', usage: Usage): string;
}

/** One server-sent event (WHATWG HTML, 9.2) with a JSON body; the OpenAI completion APIs name no event, others do. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Generates an answer and writes it; a client that goes away aborts it. Throws `ApiError` before anything is written. */
export function respond(served: Served, request: GenerationRequest, stream: boolean, wire: Wire, response: ServerResponse): void {
  let text = '';
  let index = 0;
  const { cutRatio, cutAfterTokens } = served.engine.faults;
  const isCut = cutRatio > 0 && served.chance() < cutRatio;
  const generation = Generation.start(served, request, {
    token: (piece) => {
      text += piece;
      const isLast = isCut && index + 1 >= cutAfterTokens;
      const opening = index === 0 ? wire.opening(generation) : '';
      if (stream) response.write(opening + wire.delta(generation, piece, index), () => isLast && response.destroy());
      else if (isLast) response.destroy();
      if (isLast) generation.abort();
      index++;
    },
    finished: (reason, usage) => {
      if (stream) response.end(wire.closing(generation, text, reason, usage));
      else sendJson(response, 200, wire.json(generation, text, reason, usage));
    },
  });
  // As vLLM does, a stream's headers leave when the request is accepted, long before the first token.
  if (stream)
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }).flushHeaders();
  response.once('close', () => generation.abort());
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}
