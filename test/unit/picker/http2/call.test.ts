import * as t from '../../../../src/picker/http2/frame-types';
import type { GrpcStream } from '../../../../src/picker/http2/grpc';
import { block, data, echo, endStream, type Fields, frame, headers, message, method, Peer, ping, REQUEST, reset } from './peer';

const RESPONSE = 'HEADERS 1 :status=200 content-type=application/grpc';
const only = (status: number, text: string) => `${RESPONSE} grpc-status=${status} grpc-message=${text} END_STREAM`;

describe('a call', () => {
  it('is answered message by message, with headers before the first and trailers behind the last', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)] }).send(headers(1), data(1, message('one')));
    expect(peer.readText()).toEqual([RESPONSE, 'DATA 1 one']);
    peer.send(data(1, Buffer.concat([message('two'), message(''), message('four')]), true));
    expect(peer.readText()).toEqual(['DATA 1 two', 'DATA 1 ', 'DATA 1 four', 'HEADERS 1 grpc-status=0 END_STREAM']);
    expect(log).toEqual(['message one', 'message two', 'message ', 'message four', 'half-close', 'close']);
    expect(peer.counters).toMatchObject({ messagesReceived: 4, messagesSent: 4, streamsTotal: 1, streamsOpen: 0 });
  });

  it('answers everything that one read brought with one write', () => {
    const peer = new Peer();
    const before = peer.socket.writes;
    peer.send(...[1, 3, 5, 7].flatMap((id) => [headers(id), data(id, message('x'), true)]), ping());
    expect(peer.socket.writes - before).toBe(1);
    expect(peer.read()).toHaveLength(13);
  });

  it('takes a message however it is cut into DATA frames', () => {
    const whole = Buffer.concat([message('first'), message('second')]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const peer = new Peer().send(headers(1), data(1, whole.subarray(0, cut)), data(1, whole.subarray(cut), true));
      expect(peer.readText()).toEqual([RESPONSE, 'DATA 1 first', 'DATA 1 second', 'HEADERS 1 grpc-status=0 END_STREAM']);
    }
  });

  it('takes padding, priorities, trailers and CONTINUATION', () => {
    const fields = block(REQUEST);
    const priority = Buffer.from([0x80, 0, 0, 5, 1]);
    const body = message('padded');
    const peer = new Peer().send(
      frame(
        t.HEADERS,
        t.FLAG_PADDED | t.FLAG_PRIORITY,
        1,
        Buffer.concat([Buffer.from([2]), priority, fields.subarray(0, 20), Buffer.alloc(2)]),
      ),
      frame(t.CONTINUATION, 0, 1, fields.subarray(20, 21)),
      frame(t.CONTINUATION, t.FLAG_END_HEADERS, 1, fields.subarray(21)),
      frame(t.DATA, t.FLAG_PADDED, 1, Buffer.concat([Buffer.from([7]), body, Buffer.alloc(7)])),
      frame(t.PRIORITY, 0, 1, Buffer.alloc(5)),
      frame(0x10, 0xff, 1, Buffer.from('unknown')),
      headers(1, [['x-checksum', '1']], t.FLAG_END_HEADERS | t.FLAG_END_STREAM),
    );
    expect(peer.readText()).toEqual([RESPONSE, 'DATA 1 padded', 'HEADERS 1 grpc-status=0 END_STREAM']);
    expect(peer.errors).toEqual([]);
  });

  const contentTypes: Fields = [['content-type', 'application/grpc+proto']];
  it('takes any subtype of gRPC, and a content-length that fits', () => {
    const fields: Fields = [...REQUEST.filter(([name]) => name !== 'content-type'), ...contentTypes, ['content-length', '8']];
    const peer = new Peer().send(headers(1, fields), data(1, message('abc'), true));
    expect(peer.readText()).toHaveLength(3);
  });

  const refused: [what: string, fields: Fields, answer: string][] = [
    [
      'an unknown method',
      REQUEST.map(([n, v]) => [n, n === ':path' ? '/no.Such/Method' : v]),
      only(12, 'unknown method /no.Such/Method'),
    ],
    ['GET', REQUEST.map(([n, v]) => [n, n === ':method' ? 'GET' : v]), 'HEADERS 1 :status=405 END_STREAM'],
    [
      'another content type',
      REQUEST.map(([n, v]) => [n, n === 'content-type' ? 'text/plain' : v]),
      'HEADERS 1 :status=415 END_STREAM',
    ],
    ['a header list above the limit', [...REQUEST, ['x', 'y'.repeat(16_100)]], only(8, 'header list above 16384 bytes')],
  ];
  it.each(refused)('refuses %s', (_what, fields, answer) => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)] }).send(headers(1, fields, t.FLAG_END_HEADERS | t.FLAG_END_STREAM));
    expect(peer.readText()).toEqual([answer]);
    expect([log, peer.counters.streamsOpen]).toEqual([[], 0]);
  });

  const failures: [what: string, payload: Buffer, end: boolean, answer: string][] = [
    ['a compressed message', message('x', 1), false, only(12, 'compressed messages are not supported')],
    ['a flag that is none', message('x', 2), false, only(13, 'the compressed flag of a message is neither 0 nor 1')],
    ['a message above the limit', message('12345678901'), false, only(8, 'message of 11 bytes, at most 10 are accepted')],
    [
      'the claim of one',
      Buffer.from([0, 0xff, 0xff, 0xff, 0xff]),
      false,
      only(8, 'message of 4294967295 bytes, at most 10 are accepted'),
    ],
    ['an end inside a message', message('abc').subarray(0, 7), true, only(13, 'the stream ended inside a message')],
    ['an end inside a length prefix', Buffer.alloc(3), true, only(13, 'the stream ended inside a message')],
  ];
  it.each(failures)('ends with a status, and alone, after %s', (_what, payload, end, answer) => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log, 10)] }).send(headers(1), data(1, payload, end));
    expect(peer.readText()).toEqual([answer]);
    expect(log).toEqual(['close']);
    peer.send(data(1, Buffer.alloc(4)), headers(3), data(3, message('fine'), true));
    expect(peer.readText()).toContain('DATA 3 fine');
  });

  const throwing: [
    where: string,
    (stream: GrpcStream) => Partial<Record<'onMessage' | 'onHalfClose' | 'onClose', () => void>>,
  ][] = [
    [
      'open',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'onMessage',
      () => ({
        onMessage: () => {
          throw new Error('broken');
        },
      }),
    ],
    [
      'onHalfClose',
      () => ({
        onHalfClose: () => {
          throw new Error('broken');
        },
      }),
    ],
  ];
  it.each(throwing)('ends with INTERNAL when the service throws in %s', (_where, made) => {
    const closes: boolean[] = [];
    const broken = method((stream) => ({
      onMessage() {},
      onHalfClose() {},
      onClose: (wasReset) => closes.push(wasReset),
      ...made(stream),
    }));
    const peer = new Peer({ methods: [broken] }).send(headers(1), data(1, message('x'), true));
    expect(peer.readText()).toEqual([only(13, 'internal error')]);
    expect(peer.errors).toEqual([new Error('broken')]);
    expect(closes).toEqual(_where === 'open' ? [] : [false]);
    expect(peer.socket.ended).toBe(false);
  });

  it('reports an exception of onClose and goes on', () => {
    const broken = method((stream) => ({
      onMessage() {},
      onHalfClose: () => stream.end(0),
      onClose: () => {
        throw new Error('broken');
      },
    }));
    const peer = new Peer({ methods: [broken] }).send(headers(1), endStream(1), headers(3), endStream(3));
    expect(peer.readText()).toHaveLength(2);
    expect(peer.errors).toHaveLength(2);
  });

  it('sends messages of three parts as one', () => {
    const parts = method((stream) => ({
      onMessage(buffer, start, end) {
        stream.sendParts(Buffer.from('<<??'), 2, buffer, start + 1, end - start - 2, Buffer.from('>>??'), 2);
        stream.end(5, 'not found');
        expect([stream.closed, stream.send(buffer, start, 1)]).toEqual([true, false]);
        stream.end(0);
      },
      onHalfClose() {},
      onClose() {},
    }));
    const peer = new Peer({ methods: [parts] }).send(headers(1), data(1, message('[body]')));
    expect(peer.readText()).toEqual([RESPONSE, 'DATA 1 <<body>>', 'HEADERS 1 grpc-status=5 grpc-message=not found END_STREAM']);
  });

  it('sends what a service has decided later when it asks for a flush, once for all its streams', async () => {
    const parked: GrpcStream[] = [];
    const later = method((stream) => ({ onMessage: () => parked.push(stream), onHalfClose() {}, onClose() {} }));
    const peer = new Peer({ methods: [later] }).send(...[1, 3, 5].flatMap((id) => [headers(id), data(id, message('x'))]));
    expect(peer.read()).toEqual([]);
    const before = peer.socket.writes;
    for (const stream of parked) {
      stream.send(Buffer.from('late'), 0, 4);
      stream.flush();
    }
    expect(peer.read()).toEqual([]);
    await Promise.resolve();
    expect(peer.readText().filter((text) => text.startsWith('DATA'))).toEqual(['DATA 1 late', 'DATA 3 late', 'DATA 5 late']);
    expect(peer.socket.writes - before).toBe(1);
  });
});

/** RST_STREAM at each state of section 5.1, and what the service has seen by then. */
describe('a reset by the client', () => {
  const states: [state: string, frames: Buffer[], log: string[]][] = [
    ['open, before a message', [headers(1)], ['close by reset']],
    ['open, inside a message', [headers(1), data(1, message('abc').subarray(0, 6))], ['close by reset']],
    ['open, behind a message', [headers(1), data(1, message('a'))], ['message a', 'close by reset']],
    ['closed, as Envoy ends a stream', [headers(1), data(1, message('a')), endStream(1)], ['message a', 'half-close', 'close']],
    ['closed, twice', [headers(1), endStream(1), reset(1)], ['half-close', 'close']],
  ];
  it.each(states)('closes the call once: %s', (_state, frames, expected) => {
    const inOneRead: string[] = [];
    new Peer({ methods: [echo(inOneRead)] }).send(...frames, reset(1));
    expect(inOneRead).toEqual(expected);
    const inMany: string[] = [];
    const peer = new Peer({ methods: [echo(inMany)] });
    for (const one of [...frames, reset(1)]) peer.send(one);
    expect(inMany).toEqual(expected);
    expect([peer.errors, peer.counters.streamsOpen]).toEqual([[], 0]);
  });

  it('reaches the service that still waits to answer', () => {
    const log: string[] = [];
    const silent = method(() => ({
      onMessage() {},
      onHalfClose: () => log.push('half-close'),
      onClose: (wasReset) => log.push(`close ${wasReset}`),
    }));
    const peer = new Peer({ methods: [silent] }).send(headers(1), data(1, message('a'), true), reset(1));
    expect(log).toEqual(['half-close', 'close true']);
    expect(peer.read()).toEqual([]);
  });
});

describe('a call that the server ends first', () => {
  const limits = { lingerMs: 1000, lingerBytes: 100 };
  const busy = method((stream) => ({
    onMessage: () => stream.end(0),
    onHalfClose() {
      throw new Error('told of the end behind its own');
    },
    onClose() {},
  }));
  const ended = () => {
    const peer = new Peer({ methods: [busy], limits }).send(headers(1), data(1, message('x')));
    expect(peer.readText()).toEqual([`${RESPONSE} grpc-status=0 END_STREAM`]);
    return peer;
  };

  it('is closed when the client ends it too', () => {
    const peer = ended().send(data(1, Buffer.alloc(90)), endStream(1));
    expect([peer.read(), peer.counters.streamsOpen, peer.errors]).toEqual([[], 0, []]);
  });

  it('is reset without an error when the client goes on sending', () => {
    const peer = ended().send(data(1, Buffer.alloc(90)), data(1, Buffer.alloc(90)), data(1, Buffer.alloc(90), true));
    expect([peer.readText(), peer.counters.streamsOpen]).toEqual([['RST_STREAM 1 0'], 0]);
  });

  it('is reset without an error when the client does nothing', () => {
    const peer = ended();
    peer.connection.sweep(0);
    peer.connection.sweep(900);
    expect(peer.read()).toEqual([]);
    peer.connection.sweep(1000);
    expect([peer.readText(), peer.counters.streamsOpen]).toEqual([['RST_STREAM 1 0'], 0]);
  });
});
