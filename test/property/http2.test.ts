import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { ConnectionError } from '../../src/picker/http2/error-codes';
import * as t from '../../src/picker/http2/frame-types';
import type { GrpcMethod } from '../../src/picker/http2/grpc';
import { DEFAULT_LIMITS } from '../../src/picker/http2/limits';
import {
  block,
  data,
  ECHO,
  echo,
  endStream,
  FakeSocket,
  frame,
  headers,
  message,
  number,
  Peer,
  parseFrames,
  ping,
  REQUEST,
  reset,
  settings,
  windowUpdate,
} from '../unit/picker/http2/peer';
import { corpus, fuzzRuns } from './corpus';

const INITIAL_WINDOW_SIZE = 4;

interface Conversation {
  readonly output: Buffer;
  /** What each call has seen, in the order of opening. */
  readonly calls: string[][];
  readonly peer: Peer;
}

/** Feeds a whole client's bytes in the given pieces. */
function conversation(pieces: readonly Buffer[]): Conversation {
  const calls: string[][] = [];
  const recording: GrpcMethod = {
    path: ECHO,
    maxMessageBytes: 1 << 20,
    open(stream) {
      const log: string[] = [];
      calls.push(log);
      return echo(log).open(stream);
    },
  };
  const peer = new Peer({ methods: [recording], settings: null });
  for (const piece of pieces) peer.connection.receive(piece);
  return { output: peer.output(), calls, peer };
}

/** The same however reads were cut: what each stream was sent, DATA joined, and what each call has seen. */
function essence({ output, calls, peer }: Conversation): unknown {
  const streams = new Map<number, string[]>();
  for (const one of parseFrames(output)) {
    const told = streams.get(one.id) ?? [];
    streams.set(one.id, told);
    const last = told.length - 1;
    if (one.type !== t.DATA) told.push(peer.describe(one));
    else if (last >= 0 && told[last]!.startsWith('bytes ')) told[last] += one.payload.toString('hex');
    else told.push(`bytes ${one.payload.toString('hex')}`);
  }
  return { streams: Object.fromEntries(streams), calls };
}

function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...new Set(offsets.map((offset) => offset % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** What must hold whatever a client has sent. */
function checkInvariants({ output, calls, peer }: Conversation): void {
  const frames = parseFrames(output);
  expect(frames[0]!.type).toBe(t.SETTINGS);
  expect(frames.filter((one) => one.payload.length > t.DEFAULT_MAX_FRAME_BYTES)).toEqual([]);
  expect(frames.filter((one) => one.type === t.DATA && one.payload.length === 0)).toEqual([]);
  const goAway = frames.findIndex((one) => one.type === t.GOAWAY);
  expect(goAway === -1 ? [] : frames.slice(goAway + 1)).toEqual([]);
  for (const error of peer.errors) expect(error).toBeInstanceOf(ConnectionError);
  peer.connection.closed();
  expect([peer.counters.streamsOpen, peer.budget.heldBytes]).toEqual([0, 0]);
  for (const log of calls) expect(log.filter((line) => line.startsWith('close'))).toHaveLength(1);
  expect(peer.counters.messagesReceived).toBe(calls.flat().filter((line) => line.startsWith('message')).length);
  const answers = frames.filter((one) => one.type === t.HEADERS && one.flags & t.FLAG_END_STREAM).map((one) => one.id);
  expect(new Set(answers).size).toBe(answers.length);
}

const recorded = corpus('http2');

describe('fragmentation', () => {
  const scripted = Buffer.concat([
    t.CLIENT_PREFACE,
    settings([INITIAL_WINDOW_SIZE, 20]),
    frame(t.HEADERS, 0, 1, block(REQUEST).subarray(0, 30)),
    frame(t.CONTINUATION, t.FLAG_END_HEADERS, 1, block(REQUEST).subarray(30)),
    frame(t.DATA, t.FLAG_PADDED, 1, Buffer.concat([Buffer.from([3]), message('padded'), Buffer.alloc(3)])),
    headers(3),
    data(1, message('a message that waits for the window')),
    ping(),
    data(3, message('abc'), true),
    windowUpdate(1, 100),
    endStream(1),
    headers(5),
    reset(5),
    headers(7, [[':method', 'GET']]),
    frame(t.PRIORITY, 0, 9, Buffer.alloc(5)),
  ]);

  it.each([
    ['scripted', scripted] as [string, Buffer],
    ...recorded,
  ])('of the %s bytes at each offset changes nothing', (_name, bytes) => {
    const whole = essence(conversation([bytes]));
    for (let at = 0; at <= bytes.length; at++) {
      const split = essence(conversation([bytes.subarray(0, at), bytes.subarray(at)]));
      if (!isDeepStrictEqual(split, whole)) expect([at, split]).toEqual([at, whole]);
    }
    expect(essence(conversation(Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1))))).toEqual(whole);
  });

  it('at random offsets changes nothing', () => {
    const inputs = fc.constantFrom(scripted, ...recorded.map(([, bytes]) => bytes));
    fc.assert(
      fc.property(inputs, fc.array(fc.nat(5000), { maxLength: 40 }), (bytes, offsets) => {
        expect(essence(conversation(cut(bytes, offsets)))).toEqual(essence(conversation([bytes])));
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  it('does not make what real clients send an error', () => {
    for (const [name, bytes] of recorded) {
      const { peer, calls } = conversation([bytes]);
      expect([name, peer.errors]).toEqual([name, []]);
      expect(calls.flat().filter((line) => line.startsWith('message')).length).toBeGreaterThan(0);
    }
  });
});

describe('windows', () => {
  const dialogue = fc.record({
    initialWindowBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 70_000 })),
    capacityBytes: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(20_000)),
    messages: fc.array(fc.tuple(fc.nat(3), fc.oneof(fc.nat(100), fc.nat(40_000))), { minLength: 1, maxLength: 12 }),
    grants: fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 50_000 })), {
      minLength: 1,
      maxLength: 20,
    }),
    settings: fc.array(fc.nat(60_000), { maxLength: 3 }),
  });

  it('of any size, opened in any steps, give the same answers', () => {
    fc.assert(
      fc.property(dialogue, ({ initialWindowBytes, capacityBytes, messages, grants, settings: changes }) => {
        const socket = new FakeSocket();
        const peer = new Peer({
          socket,
          settings: [[INITIAL_WINDOW_SIZE, initialWindowBytes]],
          limits: { socketHighWaterBytes: 10_000 },
        });
        socket.capacityBytes = capacityBytes;
        const expected = new Map<number, Buffer[]>();
        const received = new Map<number, Buffer[]>();
        // What the client has allowed and the server has used, for the connection (0) and each stream.
        const allowed = new Map<number, number>([[0, 65_535]]);
        const used = new Map<number, number>([[0, 0]]);
        const ended = new Set<number>();
        let initial = initialWindowBytes;
        const take = () => {
          while (socket.writableLength > 0) socket.drain();
          for (const one of peer.read()) {
            if (one.type === t.HEADERS && one.flags & t.FLAG_END_STREAM) ended.add(one.id);
            if (one.type !== t.DATA) continue;
            received.get(one.id)!.push(one.payload);
            for (const id of [0, one.id]) {
              used.set(id, used.get(id)! + one.payload.length);
              expect(used.get(id)).toBeLessThanOrEqual(allowed.get(id)!);
            }
          }
        };
        messages.forEach(([slot, bytes], i) => {
          const id = 2 * slot + 1;
          if (!expected.has(id)) {
            // Streams are opened in order, the ones before included.
            for (let earlier = 1; earlier <= id; earlier += 2) {
              if (expected.has(earlier)) continue;
              expected.set(earlier, []);
              received.set(earlier, []);
              allowed.set(earlier, initial);
              used.set(earlier, 0);
              peer.send(headers(earlier));
            }
          }
          const sent = message(Buffer.alloc(bytes, String(i)));
          expected.get(id)!.push(sent);
          for (let at = 0; at < sent.length; at += 16_384) peer.send(data(id, sent.subarray(at, at + 16_384)));
          take();
        });
        for (const id of expected.keys()) peer.send(endStream(id));
        for (const value of changes) {
          for (const id of expected.keys()) allowed.set(id, allowed.get(id)! + value - initial);
          peer.send(settings([INITIAL_WINDOW_SIZE, value]));
          initial = value;
          take();
        }
        for (let round = 0; ended.size < expected.size && round < 5000; round++) {
          const grant = grants[round % grants.length]! * (1 + (round >> 3));
          for (const id of [0, ...expected.keys()]) {
            if (ended.has(id)) continue;
            allowed.set(id, allowed.get(id)! + grant);
            peer.send(windowUpdate(id, grant));
            take();
          }
        }
        expect(ended.size).toBe(expected.size);
        for (const [id, sent] of expected) expect(Buffer.concat(received.get(id)!).equals(Buffer.concat(sent))).toBe(true);
        expect([peer.errors, peer.budget.heldBytes, peer.counters.streamsOpen]).toEqual([[], 0, 0]);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});

describe('fuzzing', () => {
  const streamId = fc.oneof(fc.constantFrom(0, 1, 3, 5, 7), fc.nat(0x7fff_ffff));
  const anyFrame = fc
    .tuple(fc.nat(11), fc.nat(255), streamId, fc.uint8Array({ maxLength: 60 }))
    .map(([type, flags, id, payload]) => frame(type, flags, id, Buffer.from(payload)));
  /** Frames that make sense more often than not, so that the deep states are reached. */
  const plausibleFrame = fc.oneof(
    streamId.map((id) => headers(id | 1)),
    fc
      .tuple(streamId, fc.boolean())
      .map(([id, last]) => headers(id | 1, REQUEST, last ? t.FLAG_END_HEADERS | t.FLAG_END_STREAM : 0)),
    streamId.map((id) => frame(t.CONTINUATION, t.FLAG_END_HEADERS, id)),
    fc
      .tuple(streamId, fc.uint8Array({ maxLength: 30 }), fc.boolean())
      .map(([id, bytes, last]) => data(id, message(Buffer.from(bytes)), last)),
    fc
      .tuple(streamId, fc.uint8Array({ maxLength: 30 }), fc.boolean())
      .map(([id, bytes, last]) => data(id, Buffer.from(bytes), last)),
    streamId.map((id) => reset(id)),
    fc.tuple(streamId, fc.nat(0x7fff_ffff)).map(([id, increment]) => windowUpdate(id, increment)),
    fc.tuple(fc.nat(7), fc.nat(0x7fff_ffff)).map(([id, value]) => settings([id, value])),
    fc.constant(ping()),
    streamId.map((id) => frame(t.PRIORITY, 0, id, Buffer.concat([number(3), Buffer.alloc(1)]))),
  );
  const begin = Buffer.concat([t.CLIENT_PREFACE, settings()]);
  const limits = { numRuns: fuzzRuns(400) };

  it('of frames never throws out of the connection, and leaves nothing behind', () => {
    const frames = fc.array(fc.oneof({ weight: 1, arbitrary: anyFrame }, { weight: 8, arbitrary: plausibleFrame }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(frames, (sent) => checkInvariants(conversation([begin, ...sent]))),
      limits,
    );
  });

  it('of bytes never throws out of the connection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, behindPreface) => {
        checkInvariants(conversation(behindPreface ? [begin, Buffer.from(bytes)] : [Buffer.from(bytes)]));
      }),
      limits,
    );
  });

  it('of header blocks never throws out of the connection', () => {
    const blocks = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 6 });
    fc.assert(
      fc.property(blocks, (sent) => {
        const frames = sent.map((bytes, i) => frame(t.HEADERS, t.FLAG_END_HEADERS, 2 * i + 1, Buffer.from(bytes)));
        checkInvariants(conversation([begin, ...frames]));
      }),
      limits,
    );
  });

  it('of recorded clients with changed, lost and repeated bytes never throws out of the connection', () => {
    const mutations = fc.array(fc.tuple(fc.constantFrom('set', 'drop', 'repeat'), fc.nat(5000), fc.nat(255)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.constantFrom(...recorded), mutations, ([, original], changes) => {
        let bytes = Buffer.from(original);
        for (const [kind, position, value] of changes) {
          const at = t.CLIENT_PREFACE.length + (position % Math.max(1, bytes.length - t.CLIENT_PREFACE.length));
          if (kind === 'set') bytes[at] = value;
          else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (value % 16) + 1)]);
          else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - value)), bytes.subarray(at)]);
        }
        checkInvariants(conversation([bytes]));
      }),
      limits,
    );
  });

  it('keeps the default limits above what the longest recorded client needs', () => {
    const { peer } = conversation([recorded.find(([name]) => name.startsWith('envoy'))![1]]);
    expect(peer.counters.streamsResetByClient).toBeGreaterThan(0);
    expect(peer.counters.streamsTotal).toBeLessThan(DEFAULT_LIMITS.maxFruitlessResets);
  });
});
