import * as t from '../../../../src/picker/http2/frame-types';
import {
  block,
  data,
  echo,
  endStream,
  frame,
  headers,
  message,
  method,
  Peer,
  ping,
  REQUEST,
  reset,
  settings,
  windowUpdate,
} from './peer';

const CALM = 0xb;
const calmed = (peer: Peer) =>
  peer.readText().filter((text) => text.startsWith('GOAWAY') && text.endsWith(` ${CALM}`)).length === 1;

describe('resets', () => {
  it('are free behind a complete message: a proxy resets every stream', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)], limits: { maxFruitlessResets: 10 } });
    for (let id = 1; id < 6_000; id += 2) peer.send(headers(id), data(id, message('')), endStream(id), reset(id));
    for (let id = 6_001; id < 12_000; id += 2) peer.send(headers(id), data(id, message('')), reset(id));
    expect([peer.errors, peer.socket.ended, peer.counters.streamsOpen]).toEqual([[], false, 0]);
    expect(peer.counters.streamsTotal).toBe(6_000);
  });

  const floods: [what: string, frames: (id: number) => Buffer[]][] = [
    ['streams reset at once (rapid reset)', (id) => [headers(id), reset(id)]],
    ['streams reset inside a message', (id) => [headers(id), data(id, Buffer.from([0, 0])), reset(id)]],
    ['streams that the server is made to reset', (id) => [headers(id), windowUpdate(id, 0)]],
    ['malformed requests', (id) => [headers(id, [['x', 'y']])]],
  ];
  it.each(floods)('without one end the connection: %s', (_what, frames) => {
    const peer = new Peer({ limits: { maxFruitlessResets: 100 } });
    for (let id = 1; id < 200; id += 2) peer.send(...frames(id));
    expect(peer.errors).toEqual([]);
    peer.read();
    peer.send(...frames(201));
    expect(calmed(peer)).toBe(true);
    expect([peer.socket.ended, peer.counters.streamsOpen]).toEqual([true, 0]);
  });

  it('of streams above the limit of open ones end the connection', () => {
    const silent = method(() => ({ onMessage() {}, onHalfClose() {}, onClose() {} }));
    const peer = new Peer({ methods: [silent], limits: { maxConcurrentStreams: 3, maxFruitlessResets: 2 } });
    peer.send(headers(1), headers(3), headers(5), headers(7));
    expect(peer.readText()).toEqual(['RST_STREAM 7 7']);
    peer.send(reset(1), headers(9));
    expect(peer.readText()).toEqual([]);
    peer.send(headers(11), headers(13));
    expect(calmed(peer)).toBe(true);
  });

  it('are forgiven slowly', () => {
    const peer = new Peer({ limits: { maxFruitlessResets: 10, fruitlessResetsForgivenPerSecond: 2 } });
    peer.connection.sweep(0);
    for (let id = 1; id < 40; id += 2) {
      peer.send(headers(id), reset(id));
      peer.connection.sweep(id * 250);
    }
    expect(peer.errors).toEqual([]);
  });
});

describe('frames that carry nothing', () => {
  const floods: [what: string, frame: (i: number) => Buffer][] = [
    ['PING', () => ping()],
    ['SETTINGS', () => settings()],
    ['acknowledgements', () => frame(t.SETTINGS, t.FLAG_ACK, 0)],
    ['PRIORITY', () => frame(t.PRIORITY, 0, 3, Buffer.alloc(5))],
    ['empty DATA', () => data(1, Buffer.alloc(0))],
    ['padding', () => frame(t.DATA, t.FLAG_PADDED, 1, Buffer.from([0]))],
    ['WINDOW_UPDATE', () => windowUpdate(0, 1)],
    ['RST_STREAM of a closed stream', () => reset(3)],
    ['unknown types', () => frame(0x42, 0, 0)],
    ['GOAWAY', () => frame(t.GOAWAY, 0, 0, Buffer.alloc(8))],
  ];
  it.each(floods)('end the connection when there are too many: %s', (_what, make) => {
    const peer = new Peer({ limits: { maxControlFrames: 50 } }).send(headers(1), headers(3), endStream(3));
    for (let i = 0; i < 40; i++) peer.send(make(i));
    expect(peer.errors).toEqual([]);
    peer.read();
    for (let i = 0; i < 20; i++) peer.send(make(i));
    expect(calmed(peer)).toBe(true);
  });

  it.each(floods.slice(0, 7))('are paid for by work and forgiven with time: %s', (_what, make) => {
    const peer = new Peer({ limits: { maxControlFrames: 50, controlFramesForgivenPerSecond: 10 } }).send(headers(1));
    for (let i = 0; i < 500; i++) peer.send(data(1, message('')), make(i), make(i));
    peer.connection.sweep(0);
    for (let i = 0; i < 500; i++) {
      peer.send(make(i));
      peer.connection.sweep(100 * (i + 1));
    }
    expect(peer.errors).toEqual([]);
  });

  it('cost more when each makes the server visit every stream', () => {
    const peer = new Peer({ limits: { maxControlFrames: 1000 } });
    for (let id = 1; id < 4000; id += 2) peer.send(headers(id));
    for (let i = 0; i < 3; i++) peer.send(settings([4, 70_000 + i]));
    expect(peer.errors).toEqual([]);
    for (let i = 0; i < 3; i++) peer.send(settings([4, 80_000 + i]));
    expect(calmed(peer)).toBe(true);
  });
});

describe('header blocks', () => {
  const fields = block(REQUEST);

  it('of too many CONTINUATION frames end the connection', () => {
    const peer = new Peer().send(frame(t.HEADERS, 0, 1, fields));
    for (let i = 0; i < 8; i++) peer.send(frame(t.CONTINUATION, 0, 1));
    expect(peer.errors).toEqual([]);
    peer.send(frame(t.CONTINUATION, 0, 1));
    expect(calmed(peer)).toBe(true);
  });

  it('far above the limit end the connection before they are complete', () => {
    const peer = new Peer().send(frame(t.HEADERS, 0, 1, fields));
    for (let i = 0; i < 3; i++) peer.send(frame(t.CONTINUATION, 0, 1, Buffer.alloc(16_384)));
    expect(peer.errors).toEqual([]);
    peer.send(frame(t.CONTINUATION, 0, 1, Buffer.alloc(16_384)));
    expect(calmed(peer)).toBe(true);
  });

  it('somewhat above the limit refuse their request only', () => {
    const large = block([['x', 'y'.repeat(16_000)]]);
    const peer = new Peer().send(
      frame(t.HEADERS, 0, 1, fields),
      frame(t.CONTINUATION, 0, 1, large),
      frame(t.CONTINUATION, t.FLAG_END_HEADERS, 1, large),
    );
    expect(peer.readText()).toEqual([expect.stringContaining('grpc-status=8')]);
    peer.send(headers(3), data(3, message('fine'), true));
    expect(peer.readText()).toContain('DATA 3 fine');
  });

  it('are read again only when their bytes or the table have changed', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log, 100, '/a'), echo(log, 100, '/b')] });
    // Index 62 is what was inserted last: equal bytes mean another path after an insertion.
    const add = (path: string) => Buffer.concat([Buffer.from('44', 'hex'), Buffer.from([path.length]), Buffer.from(path)]);
    const rest = block([['content-type', 'application/grpc']]);
    const head = Buffer.from('8386', 'hex');
    let id = 1;
    const paths: string[] = [];
    const ask = (blockBytes: Buffer) => {
      peer.send(frame(t.HEADERS, t.FLAG_END_HEADERS | t.FLAG_END_STREAM, id, blockBytes));
      paths.push(peer.readText()[0]!);
      id += 2;
    };
    const again = Buffer.concat([head, Buffer.from('be', 'hex'), rest]);
    ask(Buffer.concat([head, add('/a'), rest]));
    ask(again);
    ask(again);
    ask(Buffer.concat([head, add('/nothing'), rest]));
    ask(again);
    ask(Buffer.concat([head, add('/b'), rest]));
    ask(again);
    expect(paths.map((text) => /grpc-status=(\d+)/.exec(text)![1])).toEqual(['0', '0', '0', '12', '12', '0', '0']);
  });
});

describe('time', () => {
  it('is limited for the preface', () => {
    const peer = new Peer({ settings: null });
    peer.connection.receive(t.CLIENT_PREFACE.subarray(0, 10));
    for (const nowMs of [0, 9_999]) peer.connection.sweep(nowMs);
    expect(peer.readText()).toHaveLength(2);
    peer.connection.sweep(10_000);
    expect(peer.readText()).toEqual(['GOAWAY 0 4']);
    for (const nowMs of [11_000, 11_900]) peer.connection.sweep(nowMs);
    expect(peer.socket.destroyed).toBe(false);
    peer.connection.sweep(12_000);
    expect(peer.socket.destroyed).toBe(true);
  });

  it('is limited for a header block', () => {
    const peer = new Peer().send(frame(t.HEADERS, 0, 1, block(REQUEST)));
    for (const nowMs of [0, 10_000]) peer.connection.sweep(nowMs);
    expect(peer.readText()).toEqual(['GOAWAY 0 1']);
  });

  it('closes a connection that is idle, and not one with a stream', () => {
    const limits = { idleTimeoutMs: 5_000 };
    const idle = new Peer({ limits });
    const busy = new Peer({ limits }).send(headers(1));
    for (const peer of [idle, busy]) for (let nowMs = 0; nowMs <= 10_000; nowMs += 1000) peer.connection.sweep(nowMs);
    expect(idle.readText()).toEqual(['GOAWAY 2147483647 0', 'PING shutdown', 'GOAWAY 0 0']);
    expect([idle.socket.ended, busy.socket.ended]).toEqual([true, false]);
  });

  it('starts again with every frame', () => {
    const peer = new Peer({ limits: { idleTimeoutMs: 5_000 } });
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 1000) {
      if (nowMs % 4_000 === 0) peer.send(ping());
      peer.connection.sweep(nowMs);
    }
    expect(peer.socket.ended).toBe(false);
  });
});

describe('a shutdown', () => {
  const acknowledged = frame(t.PING, t.FLAG_ACK, 0, Buffer.from('shutdown'));

  it('finishes what is open, takes what was under way, and closes then', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)] }).send(headers(1));
    peer.connection.shutdown();
    expect(peer.readText()).toEqual(['GOAWAY 2147483647 0', 'PING shutdown']);
    peer.send(headers(3), data(3, message('under way'), true), acknowledged);
    expect(peer.readText().slice(1)).toEqual(['DATA 3 under way', 'HEADERS 3 grpc-status=0 END_STREAM', 'GOAWAY 3 0']);
    peer.send(headers(5));
    expect(peer.readText()).toEqual(['RST_STREAM 5 7']);
    expect(peer.socket.ended).toBe(false);
    peer.send(data(1, message('last'), true));
    expect(peer.readText().slice(1)).toEqual(['DATA 1 last', 'HEADERS 1 grpc-status=0 END_STREAM']);
    expect([peer.socket.ended, peer.counters.connectionErrors, log.at(-1)]).toEqual([true, 0, 'close']);
  });

  it('does not wait for a peer that never answers the PING', () => {
    const peer = new Peer();
    peer.connection.shutdown();
    for (const nowMs of [0, 1000]) peer.connection.sweep(nowMs);
    expect(peer.readText().at(-1)).toBe('GOAWAY 0 0');
    expect(peer.socket.ended).toBe(true);
  });

  it('resets nobody when the socket is lost, but tells every service', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)] }).send(headers(1), headers(3), data(3, message('x').subarray(0, 5)));
    peer.connection.closed();
    expect([log, peer.counters.streamsOpen]).toEqual([['close by reset', 'close by reset'], 0]);
  });
});
