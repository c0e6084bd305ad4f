import type { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import type { SchedulingRequest } from '../../../../src/picker/scheduling/interface/scheduling-request';
import {
  type ApproxPrefixCacheOptions,
  ApproxPrefixCacheProducer,
  DEFAULT_APPROX_PREFIX_CACHE,
} from '../../../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { PrefixCacheScorer } from '../../../../src/picker/scheduling/plugins/scorer/prefix-cache-scorer/prefix-cache-scorer';
import { poolOf, requestFor, scoresOf } from './support/pool';

const BLOCK_BYTES = 256;

/** A prompt whose blocks are named by letters. */
const blocks = (letters: string, bytes = BLOCK_BYTES): string => [...letters].map((letter) => letter.repeat(bytes)).join('');

function producerWith(options: Partial<ApproxPrefixCacheOptions> = {}): ApproxPrefixCacheProducer {
  return new ApproxPrefixCacheProducer({ ...DEFAULT_APPROX_PREFIX_CACHE, maxIndexEntries: 1000, ...options });
}

/** Blocks that each ready endpoint has of the request's; `total` after them. */
function matches(producer: ApproxPrefixCacheProducer, pool: EndpointStore, request: SchedulingRequest): number[] {
  const { snapshot } = pool;
  producer.prepare(request, snapshot, snapshot.ready, snapshot.ready.length);
  return [...Array.from(snapshot.ready, (slot) => producer.matchedBlocks[slot]!), producer.totalBlocks];
}

function send(producer: ApproxPrefixCacheProducer, pool: EndpointStore, prompt: string, slot: number): void {
  matches(producer, pool, requestFor(prompt));
  producer.picked(pool.snapshot, slot);
}

describe('the approximate prefix cache', () => {
  test('an endpoint has the leading blocks of the prompts that went there', () => {
    const [producer, pool] = [producerWith(), poolOf({}, {}, {})];
    send(producer, pool, blocks('abcd'), 0);
    send(producer, pool, blocks('abx'), 1);
    expect(matches(producer, pool, requestFor(blocks('abce')))).toEqual([3, 2, 0, 4]);
    expect(matches(producer, pool, requestFor(blocks('xabc')))).toEqual([0, 0, 0, 4]);
  });

  test('only whole blocks count', () => {
    const [producer, pool] = [producerWith(), poolOf({})];
    send(producer, pool, `${blocks('ab')}tail`, 0);
    expect(matches(producer, pool, requestFor(`${blocks('ab')}tail`))).toEqual([2, 2]);
    expect(matches(producer, pool, requestFor('short'))).toEqual([0, 0]);
  });

  test('only the prompt counts, wherever it stands in the body', () => {
    const [producer, pool] = [producerWith(), poolOf({})];
    send(producer, pool, blocks('ab'), 0);
    for (let offset = 0; offset < 9; offset++) {
      const body = Buffer.from(`${'#'.repeat(offset)}${blocks('ab')}}`);
      const request = requestFor('', { body, promptStart: offset, promptEnd: offset + 2 * BLOCK_BYTES });
      expect(matches(producer, pool, request)).toEqual([2, 2]);
    }
  });

  test.each([
    ['no body', { body: undefined }],
    ['no prompt', { promptStart: -1, promptEnd: -1 }],
    ['an empty prompt', { promptStart: 10, promptEnd: 10 }],
  ])('a request with %s has no blocks, and is not remembered', (_, extra) => {
    const [producer, pool] = [producerWith(), poolOf({})];
    expect(matches(producer, pool, requestFor(blocks('ab'), extra))).toEqual([0, 0]);
    producer.picked(pool.snapshot, 0);
    expect(producer.index.size).toBe(0);
  });

  test.each<[string, Partial<ApproxPrefixCacheOptions>, number, number]>([
    ['the floor', { blockSizeTokens: 16 }, 0, 64],
    ['the parameter', { blockSizeTokens: 128 }, 0, 128],
    ['what the engine reports', {}, 256, 256],
    ['the floor where the engine reports less', {}, 16, 64],
    ['the parameter when tuning is off', { autoTune: false, blockSizeTokens: 128 }, 256, 128],
  ])('the block size is %s', (_, options, reported, expected) => {
    const [producer, pool] = [producerWith(options), poolOf({}, {})];
    pool.snapshot.table.blockSizeTokens[1] = reported;
    const [, , total] = matches(producer, pool, requestFor('p'.repeat(16_384)));
    expect([producer.blockSizeTokens, total]).toEqual([expected, 16_384 / 4 / expected]);
  });

  test.each<[string, Partial<ApproxPrefixCacheOptions>, number]>([
    ['blocks', { maxPrefixBlocksToMatch: 3 }, 3],
    ['tokens', { maxPrefixTokensToMatch: 130 }, 2],
    ['both, the smaller', { maxPrefixBlocksToMatch: 4, maxPrefixTokensToMatch: 64 }, 1],
    ['neither', { maxPrefixBlocksToMatch: 0, maxPrefixTokensToMatch: 0 }, 10],
  ])('the length is limited by %s', (_, options, expected) => {
    expect(matches(producerWith(options), poolOf({}), requestFor(blocks('abcdefghij')))).toEqual([0, expected]);
  });

  test.each<[string, Partial<ApproxPrefixCacheOptions>, { blocks: number; size: number }, number]>([
    ['the parameter where the engine reports nothing', { lruCapacityPerServer: 3 }, { blocks: 0, size: 0 }, 3],
    ["the engine's cache in tokens, in blocks of this size", { lruCapacityPerServer: 3 }, { blocks: 20, size: 16 }, 5],
    ['the parameter when tuning is off', { autoTune: false, lruCapacityPerServer: 3 }, { blocks: 20, size: 16 }, 3],
  ])('capacity is %s', (_, options, reported, expected) => {
    const [producer, pool] = [producerWith(options), poolOf({})];
    pool.snapshot.table.kvBlocks[0] = reported.blocks;
    pool.snapshot.table.blockSizeTokens[0] = reported.size;
    send(producer, pool, blocks('abcdefgh'), 0);
    expect(producer.index.countOf(0)).toBe(expected);
    expect(matches(producer, pool, requestFor(blocks('abcdefgh')))).toEqual([expected, 8]);
  });

  test('what was used least recently is forgotten first', () => {
    const [producer, pool] = [producerWith({ lruCapacityPerServer: 4 }), poolOf({})];
    send(producer, pool, blocks('ab'), 0);
    send(producer, pool, blocks('cd'), 0);
    send(producer, pool, blocks('ab'), 0);
    send(producer, pool, blocks('e'), 0);
    expect(matches(producer, pool, requestFor(blocks('ab')))).toEqual([2, 2]);
    expect(matches(producer, pool, requestFor(blocks('cd')))).toEqual([1, 2]);
  });

  test('what an engine had cached is forgotten when it starts again', () => {
    const [producer, pool] = [producerWith(), poolOf({}, {})];
    for (const slot of [0, 1]) send(producer, pool, blocks('ab'), slot);
    const { table } = pool.snapshot;
    table.restarts[0] = 1;
    table.restartsInAll[0] = 1;
    matches(producer, pool, requestFor(blocks('ab')));
    expect([producer.cachedTokens(0), producer.cachedTokens(1), producer.lifetimeAt(0)]).toEqual([0, 128, 0]);
  });

  test('how full a cache is, and how long unused prompts stay in it, say how much room a new one finds', () => {
    const [producer, pool] = [producerWith({ lruCapacityPerServer: 8 }), poolOf({}, {}, {})];
    send(producer, pool, blocks('abcd'), 0);
    send(producer, pool, blocks('efghijkl'), 1);
    send(producer, pool, blocks('abcd'), 0);
    matches(producer, pool, requestFor(blocks('xy')));
    // used just now, half full; the whole of it is two prompts old, full; nothing at all
    expect([0, 1, 2].map((slot) => producer.lifetimeAt(slot))).toEqual([2, 2, 0]);
    expect([0, 1, 2].map((slot) => producer.pressureAt(slot, 2))).toEqual([0.5, 1, 0]);
  });

  test('using a prompt again takes nothing from others while it is new, or alone', () => {
    const [producer, pool] = [producerWith({ lruCapacityPerServer: 8 }), poolOf({}, {})];
    const refresh = (prompt: string): number[] => {
      matches(producer, pool, requestFor(blocks(prompt)));
      return [0, 1].map((slot) => producer.refreshRatio[slot]!);
    };
    send(producer, pool, blocks('ab'), 1);
    send(producer, pool, blocks('ab'), 0);
    send(producer, pool, blocks('cdefgh'), 0);
    // next to go, a quarter of what is there; alone
    expect(refresh('ab')).toEqual([0.5 * 0.75, 0]);
    send(producer, pool, blocks('ab'), 0);
    expect(refresh('ab')[0]).toBe(0);
  });

  test.each([
    ['the share of blocks', { matchLengthWeight: 0, matchLengthScaleTokens: 8192 }, 2 / 4],
    ['the square of the length', { matchLengthWeight: 1, matchLengthScaleTokens: 256 }, (128 / 256) ** 2],
    ['a length beyond the scale', { matchLengthWeight: 1, matchLengthScaleTokens: 100 }, 1],
    ['both by weight', { matchLengthWeight: 0.25, matchLengthScaleTokens: 256 }, 0.25 * 0.25 + 0.75 * 0.5],
  ])('prefix-cache-scorer: %s', (_, options, expected) => {
    const [producer, pool] = [producerWith(), poolOf({}, {})];
    send(producer, pool, blocks('ab'), 0);
    matches(producer, pool, requestFor(blocks('abxy')));
    expect(scoresOf(new PrefixCacheScorer(producer, options), pool)).toEqual([expected, 0]);
  });

  test('a conversation that goes on is known up to its last whole block', () => {
    const [producer, pool] = [producerWith(), poolOf({}, {})];
    const first = JSON.stringify([{ role: 'user', content: 'tell me about caches '.repeat(40) }]);
    send(producer, pool, first, 1);
    const next = JSON.stringify([
      ...JSON.parse(first),
      { role: 'assistant', content: 'well '.repeat(90) },
      { role: 'user', content: 'more' },
    ]);
    const [, matched] = matches(producer, pool, requestFor(next));
    expect(matched).toBe(Math.floor((first.length - 1) / BLOCK_BYTES));
  });
});
