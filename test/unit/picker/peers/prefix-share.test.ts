import { EndpointKeys } from '../../../../src/picker/peers/endpoint-keys';
import { FrameBuffer } from '../../../../src/picker/peers/frame-buffer';
import { PrefixShare } from '../../../../src/picker/peers/prefix-share';
import { MAX_SHARED_BLOCKS, type PrefixFrame } from '../../../../src/picker/peers/wire-format';
import { ApproxPrefixCacheProducer } from '../../../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { ManualClock } from '../../../../src/shared/clock';
import { poolOf, requestFor } from '../scheduling/support/pool';

const CLOCK = new ManualClock(1_000);

/** A replica whose endpoints are in its own order. */
function replica(addresses: readonly string[], name = 'approx-prefix-cache-producer') {
  const store = poolOf(...addresses.map((address) => ({ address })));
  const keys = new EndpointKeys();
  keys.follow(store.snapshot);
  const share = new PrefixShare(keys, CLOCK);
  const producer = ApproxPrefixCacheProducer.standard();
  share.use(new Map([[name, producer]]));
  const ready = store.snapshot.ready;
  return {
    share,
    send: (prompt: string, address: string): void => {
      producer.prepare(requestFor(prompt), store.snapshot, ready, ready.length);
      producer.picked(store.snapshot, store.snapshot.byHostPort.get(`${address}:8000`)!);
    },
    cached: (prompt: string): { [address: string]: number } => {
      producer.prepare(requestFor(prompt), store.snapshot, ready, ready.length);
      return Object.fromEntries(addresses.map((address, slot) => [address, producer.cachedTokens(slot)]));
    },
    learn: (frames: readonly PrefixFrame[]): void => {
      for (const frame of frames) share.learn(store.snapshot, frame);
    },
  };
}

function framesOf(share: PrefixShare): PrefixFrame[] {
  const frames: PrefixFrame[] = [];
  new FrameBuffer().take(Buffer.from(share.take()), (frame) => frames.push(frame as PrefixFrame) > 0);
  return frames;
}

const PROMPT = 'system prompt '.repeat(100);

test('what one replica has sent somewhere another knows, whatever the order of their endpoints', () => {
  const near = replica(['10.0.0.1', '10.0.0.2']);
  const far = replica(['10.0.0.9', '10.0.0.2', '10.0.0.1']);
  far.send(PROMPT, '10.0.0.1');
  near.learn(framesOf(far.share));
  expect(near.cached(PROMPT)).toEqual({ '10.0.0.1': 320, '10.0.0.2': 0 });
  expect(near.share.received).toBe(1);
});

test('an endpoint or a producer that is not known here is nothing', () => {
  const far = replica(['10.0.0.9']);
  far.send(PROMPT, '10.0.0.9');
  const frames = framesOf(far.share);
  const elsewhere = replica(['10.0.0.1']);
  elsewhere.learn(frames);
  expect([elsewhere.cached(PROMPT), elsewhere.share.received]).toEqual([{ '10.0.0.1': 0 }, 0]);
  const otherwise = replica(['10.0.0.9'], 'another');
  otherwise.learn(frames);
  expect(otherwise.cached(PROMPT)).toEqual({ '10.0.0.9': 0 });
});

test('the same prompt is told again only after ten seconds, at another endpoint at once', () => {
  const far = replica(['10.0.0.1', '10.0.0.2']);
  for (let count = 0; count < 3; count++) far.send(PROMPT, '10.0.0.1');
  far.send(PROMPT, '10.0.0.2');
  expect(framesOf(far.share)).toHaveLength(2);
  CLOCK.advance(10_000);
  far.send(PROMPT, '10.0.0.2');
  expect(framesOf(far.share)).toHaveLength(1);
});

test('of a long prompt the beginning is told, and of many prompts as many as a round has room for', () => {
  const far = replica(['10.0.0.1']);
  far.send('x'.repeat(64 * 4 * 2_000), '10.0.0.1');
  expect(framesOf(far.share).map(({ hashes }) => hashes.length / 2)).toEqual([MAX_SHARED_BLOCKS]);
  for (let count = 0; count < 100; count++) far.send(`${count}`.padEnd(64 * 4 * 600, 'y'), '10.0.0.1');
  const frames = framesOf(far.share);
  expect(frames.length + far.share.dropped).toBe(100);
  expect(frames.length).toBe(Math.floor(65_536 / (19 + 8 * MAX_SHARED_BLOCKS)));
  expect(far.share.take()).toHaveLength(0);
});

test('producers that were replaced are not followed any more', () => {
  const far = replica(['10.0.0.1']);
  far.share.use(new Map());
  far.send(PROMPT, '10.0.0.1');
  expect(framesOf(far.share)).toEqual([]);
});
