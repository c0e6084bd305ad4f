import * as t from '../../../../src/picker/http2/frame-types';
import { data, echo, FakeSocket, type Frame, headers, message, method, Peer, reset, settings, windowUpdate } from './peer';

const INITIAL_WINDOW_SIZE = 4;
const body = (bytes: number) => Buffer.alloc(bytes, 'abcdefghij');
const dataBytes = (frames: Frame[], id = 1) =>
  frames.filter((one) => one.type === t.DATA && one.id === id).map((one) => one.payload.length);
const dataPayloads = (frames: Frame[]) => frames.filter((one) => one.type === t.DATA).map((one) => one.payload);
const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
/** A message in DATA frames of the largest size. */
function inFrames(id: number, bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) frames.push(data(id, bytes.subarray(at, at + 16_384)));
  return frames;
}

describe('sending', () => {
  it('cuts messages into frames that every peer accepts, within the window of the connection', () => {
    const peer = new Peer({ settings: [[INITIAL_WINDOW_SIZE, 1 << 20]] }).send(
      headers(1),
      ...inFrames(1, message(body(100_000))),
    );
    expect(dataBytes(peer.read())).toEqual([16_384, 16_384, 16_384, 16_383]);
    peer.send(windowUpdate(0, 1));
    expect(dataBytes(peer.read())).toEqual([1]);
    peer.send(windowUpdate(0, 1 << 20));
    expect(dataBytes(peer.read())).toEqual([16_384, 16_384, 100_005 - 65_536 - 2 * 16_384]);
  });

  it.each([1, 2, 3, 5, 7, 64])('sends a byte-exact answer through a window opened %d bytes at a time', (step) => {
    const sent = Buffer.concat([message('first'), message(body(40)), message('')]);
    const peer = new Peer({ settings: [[INITIAL_WINDOW_SIZE, 0]] }).send(headers(1), data(1, sent, true));
    const frames = peer.read();
    expect(dataBytes(frames)).toEqual([]);
    for (let granted = 0; granted < sent.length; granted += step) {
      expect(frames.some((one) => one.type === t.HEADERS && one.flags & t.FLAG_END_STREAM)).toBe(false);
      frames.push(...peer.send(windowUpdate(1, step)).read());
    }
    expect(Buffer.concat(frames.filter((one) => one.type === t.DATA).map((one) => one.payload))).toEqual(sent);
    expect(frames.at(-1)).toMatchObject({ type: t.HEADERS, flags: t.FLAG_END_HEADERS | t.FLAG_END_STREAM });
    expect(peer.counters.streamsOpen).toBe(0);
  });

  it('keeps to an initial window that shrinks below what is sent already, and grows again', () => {
    const peer = new Peer({ settings: [[INITIAL_WINDOW_SIZE, 10]] }).send(headers(1), data(1, message(body(30))));
    expect(dataBytes(peer.read())).toEqual([10]);
    // 10 sent of 10, then of 3: the window is -7.
    peer.send(settings([INITIAL_WINDOW_SIZE, 3]), windowUpdate(1, 7));
    expect(dataBytes(peer.read())).toEqual([]);
    peer.send(windowUpdate(1, 2));
    expect(dataBytes(peer.read())).toEqual([2]);
    peer.send(settings([INITIAL_WINDOW_SIZE, 100]));
    expect(dataBytes(peer.read())).toEqual([23]);
  });

  it('shares the window of the connection between streams in turns', () => {
    const peer = new Peer({ settings: [[INITIAL_WINDOW_SIZE, 1 << 20]] });
    peer.send(headers(1), ...inFrames(1, message(body(65_530))));
    expect(sum(dataBytes(peer.read()))).toBe(65_535);
    for (const id of [3, 5]) peer.send(headers(id), ...inFrames(id, message(body(60_000))));
    peer.read();
    peer.send(windowUpdate(0, 4 * 16_384));
    expect(
      peer
        .read()
        .filter((one) => one.type === t.DATA)
        .map((one) => one.id),
    ).toEqual([3, 5, 3, 5]);
  });

  it('tells the service that bytes wait, how many, and that they are gone', () => {
    const seen: unknown[] = [];
    const watched = method((stream) => ({
      onMessage(buffer, start, end) {
        seen.push([stream.send(buffer, start, end - start), stream.pendingBytes]);
      },
      onHalfClose() {},
      onClose() {
        seen.push(stream.pendingBytes);
      },
    }));
    const peer = new Peer({ methods: [watched], settings: [[INITIAL_WINDOW_SIZE, 12]] });
    peer.send(headers(1), data(1, Buffer.concat([message('12345'), message('12345'), message('12345')])));
    expect(seen).toEqual([
      [true, 0],
      [false, 8],
      [false, 18],
    ]);
    peer.send(reset(1));
    expect(seen.at(-1)).toBe(0);
  });
});

describe('receiving', () => {
  it('gives windows back when half of them is used, never for every frame', () => {
    const silent = method(() => ({ onMessage() {}, onHalfClose() {}, onClose() {} }));
    const peer = new Peer({ methods: [silent], limits: { streamWindowBytes: 100_000, connectionWindowBytes: 200_000 } }).send(
      headers(1),
    );
    const updates: string[] = [];
    for (let i = 0; i < 40; i++) updates.push(...peer.send(data(1, message(body(9_995)))).readText());
    expect(updates.filter((text) => text.startsWith('WINDOW_UPDATE 1'))).toEqual(new Array(8).fill('WINDOW_UPDATE 1 50000'));
    expect(updates.filter((text) => text.startsWith('WINDOW_UPDATE 0'))).toEqual(new Array(4).fill('WINDOW_UPDATE 0 100000'));
  });

  it('holds a stream back whose client does not read its answers, and no other', () => {
    const limits = { streamWindowBytes: 100_000, streamSendHighWaterBytes: 20_000 };
    const peer = new Peer({ limits, settings: [[INITIAL_WINDOW_SIZE, 0]] }).send(headers(1), headers(3));
    for (let i = 0; i < 6; i++) peer.send(data(1, message(body(9_995))));
    expect(peer.readText().filter((text) => text.startsWith('WINDOW_UPDATE'))).toEqual([]);
    for (let i = 0; i < 6; i++) peer.send(data(3, message(body(9_995))), windowUpdate(3, 10_000));
    expect(peer.readText().filter((text) => text.startsWith('WINDOW_UPDATE'))).toEqual(['WINDOW_UPDATE 3 50000']);
    peer.send(windowUpdate(0, 100_000), windowUpdate(1, 60_000));
    expect(peer.readText().filter((text) => text.startsWith('WINDOW_UPDATE'))).toEqual(['WINDOW_UPDATE 1 60000']);
  });
});

describe('bytes held', () => {
  const limits = { maxStreamBufferedBytes: 400_000, maxConnectionBufferedBytes: 750_000 };
  const exhausted = (text: string) => text.includes('grpc-status=8');

  it('end the stream that holds too many answers, with RESOURCE_EXHAUSTED', () => {
    const log: string[] = [];
    const peer = new Peer({ methods: [echo(log)], limits, settings: [[INITIAL_WINDOW_SIZE, 0]] });
    for (const id of [1, 3]) peer.send(headers(id), ...inFrames(id, message(body(100_000))));
    expect(peer.readText().filter(exhausted)).toEqual([]);
    for (let i = 0; i < 3; i++) peer.send(...inFrames(1, message(body(100_000))));
    expect(peer.readText().filter(exhausted)).toEqual([expect.stringContaining('HEADERS 1 ')]);
    peer.send(...inFrames(3, message(body(100_000))));
    expect([peer.readText().filter(exhausted), log.filter((line) => line === 'close').length]).toEqual([[], 1]);
  });

  it('end the stream that would exceed its connection', () => {
    const peer = new Peer({ limits, settings: [[INITIAL_WINDOW_SIZE, 0]] });
    const frames = [1, 3, 5].flatMap((id) => [headers(id), ...inFrames(id, message(body(130_000)))]);
    peer.send(...frames, headers(7), ...inFrames(7, message(body(130_000))), headers(9), ...inFrames(9, message(body(130_000))));
    expect(peer.readText().filter(exhausted)).toEqual([expect.stringContaining('HEADERS 9 ')]);
    // What ended has given its bytes back.
    peer.send(reset(1), reset(3), headers(11), ...inFrames(11, message(body(130_000))));
    expect(peer.readText().filter(exhausted)).toEqual([]);
  });

  it('are not given to a message because of the length it claims', () => {
    const claim = Buffer.from([0, 0, 0xff, 0xff, 0xff]);
    const peer = new Peer({ limits: { maxConnectionBufferedBytes: 1 << 20 } });
    for (let id = 1; id < 32; id += 2) peer.send(headers(id), data(id, claim), data(id, body(10)));
    expect(peer.readText().filter(exhausted)).toEqual([]);
    peer.send(headers(33), data(33, claim), data(33, body(10)));
    expect(peer.readText().filter(exhausted)).toEqual([expect.stringContaining('too many bytes of incomplete messages')]);
  });
});

describe('a socket that is full', () => {
  const slow = (capacityBytes: number) => {
    const socket = new FakeSocket();
    const peer = new Peer({ socket, limits: { socketHighWaterBytes: 100_000 }, settings: [[INITIAL_WINDOW_SIZE, 10 << 20]] });
    peer.send(windowUpdate(0, 10 << 20));
    socket.capacityBytes = capacityBytes;
    return { peer, socket };
  };

  it('is not read until it is empty again, while answers wait in their streams', () => {
    const { peer, socket } = slow(70_000);
    const sent = message(body(500_000));
    peer.send(headers(1), ...inFrames(1, sent));
    expect(socket.paused).toBe(true);
    expect(socket.writableLength).toBeLessThan(100_000 + 2 * 65_536);
    for (let i = 0; i < 20 && socket.writableLength > 0; i++) socket.drain();
    expect(socket.paused).toBe(false);
    const received = Buffer.concat(dataPayloads(peer.read()));
    expect(received.equals(sent)).toBe(true);
  });

  it('gets what is small and must be said in one later write', () => {
    const { peer, socket } = slow(0);
    peer.send(headers(1));
    for (let i = 0; i < 50; i++) peer.send(data(1, message(`number ${i}`)));
    expect(socket.writes).toBe(2 + 1);
    socket.drain();
    expect(socket.writes).toBe(2 + 2);
    socket.drain();
    expect(peer.readText().filter((text) => text.startsWith('DATA'))).toHaveLength(50);
  });

  it('is dropped when it takes nothing for too long', () => {
    const { peer, socket } = slow(0);
    peer.send(headers(1), data(1, message('x')));
    for (const nowMs of [0, 30_000, 59_999]) peer.connection.sweep(nowMs);
    expect(socket.destroyed).toBe(false);
    peer.connection.sweep(60_000);
    expect(socket.destroyed).toBe(true);
  });

  it('is kept while it takes a little', () => {
    const { peer, socket } = slow(0);
    peer.send(headers(1), ...inFrames(1, message(body(300_000))));
    for (let nowMs = 0; nowMs < 300_000; nowMs += 30_000) {
      peer.connection.sweep(nowMs);
      socket.drain(1);
      peer.send(headers(3 + nowMs / 5_000), ...inFrames(3 + nowMs / 5_000, message(body(60_000))));
    }
    expect(socket.destroyed).toBe(false);
  });
});
