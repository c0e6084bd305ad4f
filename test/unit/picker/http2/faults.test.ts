import * as t from '../../../../src/picker/http2/frame-types';
import {
  block,
  data,
  ECHO,
  echo,
  endStream,
  type Fields,
  frame,
  headers,
  message,
  number,
  Peer,
  ping,
  REQUEST,
  reset,
  settings,
  windowUpdate,
} from './peer';

const payload = (bytes: number) => Buffer.alloc(bytes);
const open = headers(1);

/** Faults that end the connection (RFC 9113 section 5.4.1): what is sent behind the preface, and the code of the GOAWAY. */
const CONNECTION_FAULTS: [what: string, code: number, frames: Buffer[]][] = [
  ['4.2 a frame above MAX_FRAME_SIZE', 0x6, [open, frame(t.DATA, 0, 1, payload(16_385))]],
  ['4.3 a header block that cannot be decoded', 0x9, [frame(t.HEADERS, t.FLAG_END_HEADERS, 1, Buffer.from('80', 'hex'))]],
  ['5.1 DATA on an idle stream', 0x1, [data(1, payload(1))]],
  ['5.1 RST_STREAM on an idle stream', 0x1, [reset(1)]],
  ['5.1 WINDOW_UPDATE on an idle stream', 0x1, [windowUpdate(1, 1)]],
  ['5.1 HEADERS on a stream that ended', 0x5, [open, endStream(1), open]],
  ['5.1.1 a stream with an even number', 0x1, [headers(2)]],
  ['5.1.1 a stream opened behind a higher one', 0x1, [headers(5), headers(3)]],
  ['5.3 PRIORITY on the stream itself', 0x1, [frame(t.PRIORITY, 0, 1, Buffer.concat([number(1), payload(1)]))]],
  ['6.1 DATA on stream 0', 0x1, [data(0, payload(1))]],
  ['6.1 padding as long as the payload', 0x1, [open, frame(t.DATA, t.FLAG_PADDED, 1, Buffer.from([3, 0, 0]))]],
  ['6.1 a padded frame without a length of padding', 0x6, [open, frame(t.DATA, t.FLAG_PADDED, 1)]],
  ['6.2 HEADERS on stream 0', 0x1, [headers(0)]],
  ['6.2 a frame inside a header block', 0x1, [headers(1, REQUEST, 0), ping()]],
  ['6.2 HEADERS too short for its priority', 0x6, [frame(t.HEADERS, t.FLAG_END_HEADERS | t.FLAG_PRIORITY, 1, payload(4))]],
  [
    '6.2 HEADERS with padding longer than its block',
    0x1,
    [frame(t.HEADERS, t.FLAG_END_HEADERS | t.FLAG_PADDED, 1, Buffer.from([9, 0x82]))],
  ],
  [
    '6.2 HEADERS that depends on itself',
    0x1,
    [frame(t.HEADERS, t.FLAG_END_HEADERS | t.FLAG_PRIORITY, 1, Buffer.concat([number(1), payload(1), block(REQUEST)]))],
  ],
  ['6.3 PRIORITY on stream 0', 0x1, [frame(t.PRIORITY, 0, 0, payload(5))]],
  ['6.3 PRIORITY of a wrong length', 0x6, [frame(t.PRIORITY, 0, 1, payload(4))]],
  ['6.4 RST_STREAM on stream 0', 0x1, [reset(0)]],
  ['6.4 RST_STREAM of a wrong length', 0x6, [open, frame(t.RST_STREAM, 0, 1, payload(3))]],
  ['6.5 SETTINGS on a stream', 0x1, [frame(t.SETTINGS, 0, 1)]],
  ['6.5 SETTINGS of a wrong length', 0x6, [frame(t.SETTINGS, 0, 0, payload(5))]],
  ['6.5 an acknowledgement with a payload', 0x6, [frame(t.SETTINGS, t.FLAG_ACK, 0, payload(6))]],
  ['6.5.2 ENABLE_PUSH above 1', 0x1, [settings([2, 2])]],
  ['6.5.2 INITIAL_WINDOW_SIZE above 2^31-1', 0x3, [settings([4, 0x8000_0000])]],
  ['6.5.2 MAX_FRAME_SIZE below 16384', 0x1, [settings([5, 16_383])]],
  ['6.5.2 MAX_FRAME_SIZE above 2^24-1', 0x1, [settings([5, 16_777_216])]],
  ['6.6 PUSH_PROMISE from a client', 0x1, [frame(t.PUSH_PROMISE, t.FLAG_END_HEADERS, 1, payload(4))]],
  ['6.7 PING on a stream', 0x1, [frame(t.PING, 0, 1, payload(8))]],
  ['6.7 PING of a wrong length', 0x6, [frame(t.PING, 0, 0, payload(7))]],
  ['6.8 GOAWAY on a stream', 0x1, [frame(t.GOAWAY, 0, 1, payload(8))]],
  ['6.8 GOAWAY that is too short', 0x6, [frame(t.GOAWAY, 0, 0, payload(7))]],
  ['6.9 WINDOW_UPDATE of 0 on the connection', 0x1, [windowUpdate(0, 0)]],
  ['6.9 WINDOW_UPDATE of a wrong length', 0x6, [frame(t.WINDOW_UPDATE, 0, 0, payload(3))]],
  ['6.9.1 a window of the connection above 2^31-1', 0x3, [windowUpdate(0, 0x7fff_ffff)]],
  [
    '6.9.2 a changed initial window that lifts a stream above 2^31-1',
    0x3,
    [open, windowUpdate(1, 0x7fff_0000 - 65_535), settings([4, 131_071])],
  ],
  ['6.10 CONTINUATION without HEADERS', 0x1, [frame(t.CONTINUATION, t.FLAG_END_HEADERS, 1)]],
  ['6.10 CONTINUATION of another stream', 0x1, [headers(1, REQUEST, 0), frame(t.CONTINUATION, t.FLAG_END_HEADERS, 3)]],
];

describe('faults of the connection', () => {
  it.each(CONNECTION_FAULTS)('%s is answered with GOAWAY %d', (_what, code, frames) => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)] }).send(...frames, ping());
    const answer = peer.read().map((one) => [one.type, one.type === t.GOAWAY ? one.payload.readUInt32BE(4) : -1]);
    expect(answer.filter(([type]) => type === t.GOAWAY)).toEqual([[t.GOAWAY, code]]);
    expect(answer.at(-1)![0]).toBe(t.GOAWAY);
    expect([peer.socket.ended, peer.errors.length, peer.counters.connectionErrors, peer.counters.streamsOpen]).toEqual([
      true,
      1,
      1,
      0,
    ]);
    expect(log.filter((line) => line.startsWith('close')).length).toBe(peer.counters.streamsTotal);
  });

  it('refuses what is not an HTTP/2 client', () => {
    const peer = new Peer({ settings: null });
    peer.connection.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(peer.readText()).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 16711681', 'GOAWAY 0 1']);
  });

  it('refuses a client whose first frame is not SETTINGS', () => {
    const peer = new Peer({ settings: null });
    peer.connection.receive(Buffer.concat([t.CLIENT_PREFACE, ping()]));
    expect(peer.readText().at(-1)).toBe('GOAWAY 0 1');
  });

  it('ignores everything behind the fault', () => {
    const peer = new Peer().send(headers(2));
    peer.read();
    peer.send(headers(1), data(1, message('late'), true));
    expect(peer.read()).toEqual([]);
  });
});

const without = (name: string): Fields => REQUEST.filter(([field]) => field !== name);
const replaced = (name: string, value: string): Fields => REQUEST.map(([field, was]) => [field, field === name ? value : was]);
const request = (fields: Fields) => [headers(1, fields)];

/** Faults that end their stream only (section 5.4.2): what is sent, and the code of the RST_STREAM. */
const STREAM_FAULTS: [what: string, code: number, frames: Buffer[]][] = [
  ['5.1 DATA behind END_STREAM', 0x5, [headers(1, REQUEST, t.FLAG_END_HEADERS | t.FLAG_END_STREAM), data(1, payload(1))]],
  ['5.1 DATA behind RST_STREAM', 0x5, [open, reset(1), data(1, payload(1))]],
  ['6.9 WINDOW_UPDATE of 0 on a stream', 0x1, [open, windowUpdate(1, 0)]],
  ['6.9.1 a window of a stream above 2^31-1', 0x3, [open, windowUpdate(1, 0x7fff_ffff)]],
  ['8.1 a second HEADERS without END_STREAM', 0x1, [open, headers(1, [['x', 'y']])]],
  ['8.1 a pseudo-field in trailers', 0x1, [open, headers(1, [[':path', '/']], t.FLAG_END_HEADERS | t.FLAG_END_STREAM)]],
  [
    '8.1.1 content-length above the DATA',
    0x1,
    [...request([...REQUEST, ['content-length', '9']]), data(1, message('abc'), true)],
  ],
  ['8.1.1 content-length below the DATA', 0x1, [...request([...REQUEST, ['content-length', '7']]), data(1, message('abc'))]],
  [
    '8.1.1 content-length on a request without DATA',
    0x1,
    [headers(1, [...REQUEST, ['content-length', '1']], t.FLAG_END_HEADERS | t.FLAG_END_STREAM)],
  ],
  ['8.1.1 two different content-lengths', 0x1, request([...REQUEST, ['content-length', '1'], ['content-length', '2']])],
  ['8.1.1 a content-length that is no number', 0x1, request([...REQUEST, ['content-length', '-1']])],
  ['8.2 a field name in upper case', 0x1, request([...REQUEST, ['X-Upper', '1']])],
  ['8.2.1 an empty field name', 0x1, request([...REQUEST, ['', '1']])],
  ['8.2.1 a field name with a space', 0x1, request([...REQUEST, ['x y', '1']])],
  ['8.2.1 a field value with a line feed', 0x1, request([...REQUEST, ['x', 'a\nb']])],
  ['8.2.1 a field value that begins with a space', 0x1, request([...REQUEST, ['x', ' a']])],
  ['8.2.2 connection', 0x1, request([...REQUEST, ['connection', 'close']])],
  ['8.2.2 transfer-encoding', 0x1, request([...REQUEST, ['transfer-encoding', 'chunked']])],
  ['8.2.2 te other than trailers', 0x1, request(replaced('te', 'gzip'))],
  ['8.3 an unknown pseudo-field', 0x1, request([[':protocol', 'x'], ...REQUEST])],
  ['8.3 a pseudo-field of replies', 0x1, request([[':status', '200'], ...REQUEST])],
  ['8.3 a pseudo-field behind a field', 0x1, request([['x', 'y'], ...REQUEST])],
  ['8.3.1 a repeated :path', 0x1, request([[':path', ECHO], ...REQUEST])],
  ['8.3.1 an empty :path', 0x1, request(replaced(':path', ''))],
  ['8.3.1 no :method', 0x1, request(without(':method'))],
  ['8.3.1 no :scheme', 0x1, request(without(':scheme'))],
  ['8.3.1 no :path', 0x1, request(without(':path'))],
];

describe('faults of a stream', () => {
  it.each(STREAM_FAULTS)('%s is answered with RST_STREAM %d, and the connection goes on', (_what, code, frames) => {
    const peer = new Peer().send(...frames);
    expect(peer.readText().filter((text) => !text.startsWith('DATA') && !text.startsWith('HEADERS'))).toEqual([
      `RST_STREAM 1 ${code}`,
    ]);
    peer.send(headers(7), data(7, message('still here'), true));
    expect(peer.readText().filter((text) => text.startsWith('DATA 7'))).toEqual(['DATA 7 still here']);
    expect([peer.errors, peer.counters.streamsOpen, peer.counters.streamsResetByServer]).toEqual([[], 0, 1]);
  });

  it('ignores what was under way when the server reset the stream', () => {
    const peer = new Peer().send(open, windowUpdate(1, 0));
    peer.read();
    peer.send(
      data(1, payload(10)),
      headers(1, [['x', 'y']], t.FLAG_END_HEADERS | t.FLAG_END_STREAM),
      reset(1),
      windowUpdate(1, 1),
    );
    expect(peer.read()).toEqual([]);
    expect(peer.errors).toEqual([]);
  });

  it('resets a stream that exceeds its window, and ends a connection that does', () => {
    const log: string[] = [];
    const small = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535 };
    const peer = new Peer({ methods: [echo(log)], limits: { ...small, connectionWindowBytes: 1 << 20 } }).send(headers(1));
    // The first message fails the call with its length, so that nothing of the window is given back.
    const huge = Buffer.from([0, 0x7f, 0, 0, 0]);
    peer.send(
      data(1, Buffer.concat([huge, payload(16_379)])),
      data(1, payload(16_384)),
      data(1, payload(16_384)),
      data(1, payload(16_383)),
    );
    expect(peer.readText()).toEqual([expect.stringMatching(/^HEADERS 1 .*grpc-status=8/)]);
    peer.send(data(1, payload(1)));
    expect(peer.readText()).toEqual(['RST_STREAM 1 3']);
  });
});
