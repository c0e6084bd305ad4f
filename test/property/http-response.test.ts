import fc from 'fast-check';
import { BodyBuffers, HttpResponseReader } from '../../src/picker/metrics-scraper/http-response-reader';
import { fuzzRuns } from './corpus';

const MAX_BODY_BYTES = 2_000;

interface Reading {
  readonly failure: string;
  readonly isDone: boolean;
  readonly body: string;
}

/** Reads bytes in pieces whose lengths repeat those given. */
function read(reader: HttpResponseReader, bytes: Buffer, sizes: readonly number[]): Reading {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = Math.min(bytes.length, at + sizes[i % sizes.length]!);
    reader.push(bytes, at, end);
    at = end;
  }
  reader.end();
  const { failure, isDone } = reader;
  return { failure, isDone, body: isDone ? (reader.body?.toString('latin1', 0, reader.bodyLength) ?? '') : '' };
}

const fresh = () => new HttpResponseReader(new BodyBuffers(), MAX_BODY_BYTES);
const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
const body = fc.string({ unit: 'binary-ascii', maxLength: 300 });

/** A response, and the body in it. */
const response = fc.oneof(
  body.map((text) => ({ text, wire: `HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: ${text.length}\r\n\r\n${text}` })),
  body.map((text) => ({ text, wire: `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${text}` })),
  fc.array(fc.tuple(body, fc.constantFrom('', ';name=value')), { maxLength: 5 }).map((chunks) => ({
    text: chunks.map(([text]) => text).join(''),
    wire: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks
      .filter(([text]) => text !== '')
      .map(([text, extension]) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`)
      .join('')}0\r\n\r\n`,
  })),
);

describe('HTTP responses', () => {
  test('are read the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(response, sizes, ({ text, wire }, pieces) => {
        expect(read(fresh(), Buffer.from(wire, 'latin1'), pieces)).toEqual({ failure: '', isDone: true, body: text });
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test('broken ones end as done or failed with a reason, within the bound, the same in whatever pieces they come', () => {
    const mutation = fc.tuple(fc.nat(), fc.constantFrom('\r', '\n', '0', 'f', ':', ' ', '\0', '\x80', ''));
    fc.assert(
      fc.property(response, fc.array(mutation, { maxLength: 5 }), sizes, ({ wire }, mutations, pieces) => {
        let text = wire;
        for (const [place, char] of mutations) {
          const at = place % text.length;
          text = text.slice(0, at) + char + text.slice(at + 1);
        }
        const bytes = Buffer.from(text, 'latin1');
        const reader = fresh();
        const reading = read(reader, bytes, pieces);
        expect(reading.isDone).toBe(reading.failure === '');
        expect(reader.bodyLength).toBeLessThanOrEqual(MAX_BODY_BYTES);
        expect(read(fresh(), bytes, [bytes.length])).toEqual(reading);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test('a reader that has failed is as good as new after a reset', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), response, sizes, (garbage, { text, wire }, pieces) => {
        const reader = fresh();
        read(reader, Buffer.from(`HTTP/1.1 2${garbage}`, 'latin1'), pieces);
        reader.reset();
        expect(read(reader, Buffer.from(wire, 'latin1'), pieces).body).toBe(text);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });
});
