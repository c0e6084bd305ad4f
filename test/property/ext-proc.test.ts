import * as fc from 'fast-check';
import type { Decision, Director } from '../../src/picker/ext-proc/director';
import { externalProcessor } from '../../src/picker/ext-proc/external-processor';
import { HeaderBlock } from '../../src/picker/ext-proc/header-block';
import { ProcessingRequest } from '../../src/picker/ext-proc/processing-request';
import {
  Reply,
  writeChangesReply,
  writeImmediateReply,
  writeMetadata,
  writePiece,
  writeRouteReply,
} from '../../src/picker/ext-proc/processing-response';
import { rejection } from '../../src/picker/ext-proc/rejection';
import { subsetHint } from '../../src/picker/ext-proc/subset-hint';
import { WireError } from '../../src/picker/ext-proc/wire-reader';
import { WireWriter } from '../../src/picker/ext-proc/wire-writer';
import { decodeResponse, encodeRequest, headerMap, struct } from '../fixtures/ext-proc/messages';
import { chat, Exchange, modes, RecordedStream, route, ScriptedDirector } from '../unit/picker/ext-proc/harness';
import { corpus, fuzzRuns } from './corpus';

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
};

/** Fields that the picker does not know, of every wire type. */
const unknownField = fc.oneof(
  fc
    .tuple(fc.integer({ min: 100, max: 2 ** 29 - 1 }), fc.nat())
    .map(([field, value]) => Buffer.concat([varint(field * 8), varint(value)])),
  fc.integer({ min: 100, max: 200 }).map((field) => Buffer.concat([varint(field * 8 + 1), Buffer.alloc(8, 0xff)])),
  fc.integer({ min: 100, max: 200 }).map((field) => Buffer.concat([varint(field * 8 + 5), Buffer.alloc(4, 0xff)])),
  fc
    .tuple(fc.integer({ min: 100, max: 200 }), fc.uint8Array({ maxLength: 20 }))
    .map(([field, bytes]) => Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])),
  fc
    .integer({ min: 100, max: 200 })
    .map((field) => Buffer.concat([varint(field * 8 + 3), varint(101 * 8), varint(5), varint(field * 8 + 4)])),
);

const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
const headers = fc.dictionary(name, fc.string({ unit: 'binary', maxLength: 30 }), { maxKeys: 40, noNullPrototype: true });
const hints = fc.option(fc.array(fc.ipV4().map((ip) => `${ip}:8000`)), { nil: undefined });

interface Parts {
  readonly fields: readonly Buffer[];
  readonly order: readonly number[];
}

/** Encoded one field at a time, so that the fields can be put in any order. */
const inAnyOrder = (parts: Parts): Buffer =>
  Buffer.concat(
    parts.fields
      .map((field, index) => ({ field, key: parts.order[index] ?? 0 }))
      .sort((a, b) => a.key - b.key)
      .map(({ field }) => field),
  );

/** Bodies as text: jest compares long buffers byte by byte, with much ado. */
const asText = (reply: object): object =>
  Object.fromEntries(Object.entries(reply).map(([key, value]) => [key, Buffer.isBuffer(value) ? value.toString() : value]));

const rethrow = (error: unknown): never => {
  throw error;
};

describe('the ext_proc codec', () => {
  test('reads headers messages as protobufjs writes them, in any field order and among unknown fields', () => {
    const message = fc.record({
      headers,
      raw: fc.boolean(),
      endOfStream: fc.boolean(),
      hint: hints,
      config: fc.option(fc.record({ request: fc.nat({ max: 5 }), response: fc.nat({ max: 5 }), early: fc.boolean() }), {
        nil: undefined,
      }),
      unknown: fc.array(unknownField, { maxLength: 3 }),
      order: fc.array(fc.nat(), { minLength: 7, maxLength: 7 }),
    });
    fc.assert(
      fc.property(message, (given) => {
        const entries = Object.entries(given.headers).map(([key, value]) =>
          given.raw ? { key, rawValue: Buffer.from(value) } : { key, value },
        );
        const fields = [
          encodeRequest({ requestHeaders: { headers: { headers: entries }, endOfStream: given.endOfStream } }),
          given.hint === undefined
            ? Buffer.alloc(0)
            : encodeRequest({
                metadataContext: {
                  filterMetadata: {
                    x: struct({}),
                    'envoy.lb.subset_hint': struct({ 'x-gateway-destination-endpoint-subset': given.hint }),
                  },
                },
              }),
          given.config === undefined
            ? Buffer.alloc(0)
            : encodeRequest({
                protocolConfig: {
                  requestBodyMode: given.config.request,
                  responseBodyMode: given.config.response,
                  sendBodyWithoutWaitingForHeaderResponse: given.config.early,
                },
              }),
          encodeRequest({ attributes: { 'envoy.filters.http.ext_proc': struct({ 'request.path': '/' }) } }),
          ...given.unknown,
        ];
        const bytes = inAnyOrder({ fields, order: given.order });
        const decoded = new ProcessingRequest();
        decoded.decode(bytes, 0, bytes.length);
        expect(decoded).toMatchObject({
          phase: 2,
          endOfStream: given.endOfStream,
          hasProtocolConfig: given.config !== undefined,
        });
        if (given.config !== undefined) {
          expect([decoded.requestBodyMode, decoded.responseBodyMode, decoded.bodyBeforeHeaderReply]).toEqual(
            Object.values(given.config),
          );
        }
        const block = new HeaderBlock();
        block.read(bytes, decoded.start, decoded.end);
        for (const [key, value] of Object.entries(given.headers)) expect(block.get(key)).toBe(Buffer.from(value).toString());
        expect(block.get('absent header')).toBeUndefined();
        expect(subsetHint(bytes, decoded.metadataStart, decoded.metadataEnd)).toEqual(given.hint);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  test('reads body messages as protobufjs writes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.boolean(), (body, endOfStream, isRequest) => {
        const bytes = encodeRequest({ [isRequest ? 'requestBody' : 'responseBody']: { body, endOfStream } });
        const decoded = new ProcessingRequest();
        decoded.decode(bytes, 0, bytes.length);
        expect(decoded).toMatchObject({ phase: isRequest ? 4 : 5, endOfStream });
        expect(bytes.subarray(decoded.start, decoded.end).equals(Buffer.from(body))).toBe(true);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  test('writes replies that protobufjs reads back', () => {
    const writer = new WireWriter();
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    const pairs = fc
      .array(fc.tuple(name, text), { maxLength: 5 })
      .map((list) => Object.fromEntries(list) as Record<string, string>);
    const body = fc
      .oneof(fc.nat({ max: 300 }), fc.constantFrom(16_383, 16_384, 62_000, 70_000))
      .map((length) => Buffer.alloc(length, 'b'));
    fc.assert(
      fc.property(
        pairs,
        fc.array(name, { maxLength: 3 }),
        fc.option(body, { nil: undefined }),
        text,
        fc.double({ noNaN: true }),
        fc.boolean(),
        (set, remove, whole, destination, number, flag) => {
          const changes = { set: Object.entries(set).flat(), remove };
          const bodyBytes = whole?.length ?? -1;
          const read = (tail: Buffer = Buffer.alloc(0)) =>
            asText(decodeResponse(Buffer.concat([writer.bytes.subarray(writer.at), tail])));
          const mutation = {
            ...(remove.length > 0 ? { remove } : {}),
            ...(whole === undefined ? {} : { wholeBody: whole.toString() }),
          };

          writeRouteReply(writer, { reply: flag ? Reply.RequestHeaders : Reply.RequestBody, destination, changes, bodyBytes });
          expect(read(whole)).toMatchObject({
            ...mutation,
            kind: flag ? 'requestHeaders' : 'requestBody',
            set: { ...set, 'x-gateway-destination-endpoint': destination },
            clearRouteCache: true,
            metadata: { 'envoy.lb': { 'x-gateway-destination-endpoint': destination } },
          });

          writeChangesReply(writer, Reply.ResponseBody, changes, bodyBytes);
          writeMetadata(writer, { one: { number, text: destination }, two: {} });
          expect(read(whole)).toMatchObject({
            ...mutation,
            kind: 'responseBody',
            metadata: { one: { number, text: destination }, two: {} },
          });

          writePiece(writer, Reply.ResponseBody, whole?.length ?? 0, flag);
          expect(read(whole)).toEqual({ kind: 'responseBody', piece: (whole ?? '').toString(), endOfStream: flag });

          writeImmediateReply(writer, 200 + (bodyBytes % 300), changes.set, whole ?? Buffer.alloc(0), destination);
          expect(read()).toMatchObject({
            kind: 'immediateResponse',
            status: 200 + (bodyBytes % 300),
            body: (whole ?? '').toString(),
          });
        },
      ),
      { numRuns: fuzzRuns(100) },
    );
  });

  const decodeAll = (bytes: Buffer): void => {
    const decoded = new ProcessingRequest();
    try {
      decoded.decode(bytes, 0, bytes.length);
      new HeaderBlock().read(bytes, decoded.start, decoded.end);
      subsetHint(bytes, decoded.metadataStart, decoded.metadataEnd);
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      return;
    }
    for (const offset of [decoded.start, decoded.end, decoded.metadataStart, decoded.metadataEnd]) {
      expect(offset).toBeLessThanOrEqual(bytes.length);
    }
  };

  test('refuses broken bytes with a WireError and never reads beyond the message', () => {
    const valid = encodeRequest({
      requestHeaders: { headers: headerMap({ ':path': '/v1/x', 'x-aig-a': '1' }) },
      metadataContext: {
        filterMetadata: { 'envoy.lb.subset_hint': struct({ 'x-gateway-destination-endpoint-subset': ['a:1', 'b:2'] }) },
      },
      protocolConfig: { requestBodyMode: 4 },
    });
    const edits = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const changed = fc.tuple(edits, fc.nat(valid.length)).map(([list, cut]) => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of list) bytes[at] = byte;
      return bytes.subarray(0, cut);
    });
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    fc.assert(fc.property(fc.oneof(changed, random), decodeAll), { numRuns: fuzzRuns(2_000) });
  });

  test.each(corpus('protobuf'))('stored case %s', (_name, bytes) => decodeAll(bytes));
});

describe('a call', () => {
  type Step = (exchange: Exchange, director: ScriptedDirector) => void;
  const steps: Record<string, Step> = {
    requestHeaders: (exchange) => exchange.requestHeaders(),
    requestHeadersOnly: (exchange) => exchange.requestHeaders({}, {}, true),
    bufferedHeaders: (exchange) => exchange.requestHeaders({}, modes('BUFFERED')),
    streamedHeaders: (exchange) => exchange.requestHeaders({}, modes('STREAMED')),
    earlyHeaders: (exchange) => exchange.requestHeaders({}, modes('STREAMED', 'NONE', true)),
    part: (exchange) => exchange.requestBody('{"messages":["x"],', false),
    whole: (exchange) => exchange.requestBody(chat()),
    last: (exchange) => exchange.requestBody('"model":"m"}'),
    requestTrailers: (exchange) => exchange.requestTrailers(),
    answer: (exchange) => exchange.responseHeaders(),
    answerOnly: (exchange) => exchange.responseHeaders({}, true),
    chunk: (exchange) => exchange.responseBody('{"usage":{"prompt_tokens":1}'),
    lastChunk: (exchange) => exchange.responseBody('}', true),
    responseTrailers: (exchange) => exchange.responseTrailers(),
    garbage: (exchange) => exchange.bytes(Buffer.from([0xff])),
    halfClose: (exchange) => exchange.halfClose(),
    resume: (_exchange, director) => director.resume?.(route()),
    refuse: (_exchange, director) => director.resume?.(rejection('chat', 'ResourceExhausted', 'full', 'rejected-ttl-expired')),
  };
  const answers: Record<string, () => Decision | undefined> = {
    route: () => route({ targetModel: 'meta' }),
    unobserved: () => route({ observeResponse: false }),
    later: () => undefined,
    refuse: () => rejection('chat', 'Forbidden', 'no', 'forbidden'),
    broken: () => {
      throw new Error('broken');
    },
  };

  test('gives every route back exactly once, whatever happens in whatever order', () => {
    const play = fc.tuple(
      fc.constantFrom(...Object.keys(answers)),
      fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 12 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(play, ([answer, names, resumesLate]) => {
        let routes = 0;
        let pending = 0;
        const director = new ScriptedDirector(() => {
          const decision = answers[answer]?.();
          if (decision === undefined) pending++;
          else if (decision.kind === 'route') routes++;
          return decision;
        });
        const exchange = new Exchange(director);
        let resumed = 0;
        for (const step of names) {
          if (step === 'resume' || step === 'refuse') {
            if (director.resume === undefined || answer !== 'later' || resumed > 0 || director.abandoned > 0) continue;
            resumed++;
            if (step === 'resume') routes++;
          }
          steps[step]?.(exchange, director);
        }
        exchange.close();
        if (pending > 0) expect(director.abandoned + resumed).toBe(1);
        else expect(director.abandoned).toBe(0);
        if (resumesLate && director.abandoned > 0) {
          director.resume?.(route());
          routes++;
        }
        expect(director.settled).toHaveLength(routes);
        expect(
          exchange.stream.replies.filter((reply) => reply.set?.['x-gateway-destination-endpoint']).length,
        ).toBeLessThanOrEqual(1);
      }),
      { numRuns: fuzzRuns(600) },
    );
  });

  test('does not disturb others of the same service, which use the same buffers', () => {
    const bodies = fc.array(fc.string({ maxLength: 200 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.infiniteStream(fc.nat()), (texts, choices) => {
        const director: Director = {
          decide: (request) => route({ destination: request.header('x-me') ?? '', targetModel: 'other' }),
          abandon: () => {},
          settle: () => {},
        };
        const method = externalProcessor({ director, onError: rethrow });
        const exchanges = texts.map(() => new Exchange(director, {}, method));
        const left = texts.map((text, index) => {
          const body = Buffer.from(chat({ text }));
          const pieces = [0, 1, 2, 3].map((part) => body.subarray((part * body.length) >> 2, ((part + 1) * body.length) >> 2));
          return [
            (exchange: Exchange) => exchange.requestHeaders({ 'x-me': `10.0.0.${index}:1` }),
            ...pieces.map((piece, part) => (exchange: Exchange) => exchange.requestBody(piece, part === 3)),
          ];
        });
        while (left.some((steps) => steps.length > 0)) {
          const index = (choices.next().value as number) % texts.length;
          left[index]?.shift()?.(exchanges[index]!);
        }
        for (const [index, exchange] of exchanges.entries()) {
          expect(exchange.replies[0]?.set?.['x-gateway-destination-endpoint']).toBe(`10.0.0.${index}:1`);
          const sent = Buffer.concat(exchange.replies.slice(1).map((reply) => reply.piece!)).toString();
          expect(JSON.parse(sent)).toEqual({ ...JSON.parse(chat({ text: texts[index] })), model: 'other' });
        }
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  test.each(corpus('protobuf'))('survives the stored case %s as its first message', (_name, bytes) => {
    const stream = new RecordedStream();
    const method = externalProcessor({ director: new ScriptedDirector(), onError: rethrow });
    const call = method.open(stream);
    call.onMessage(bytes, 0, bytes.length);
    call.onClose(true);
  });
});
