import { Engine } from '../../../../../src/simulation/engine/core/engine';
import { type EngineProfile, engineProfile } from '../../../../../src/simulation/engine/core/profile';
import { Sequence, type SequenceRequest } from '../../../../../src/simulation/engine/core/sequence';
import { VirtualTimeline } from '../../../../../src/simulation/engine/core/timeline';

/** Round numbers: a step costs 10 ms, 1 ms a sequence that decodes, 100 ms to begin a prompt and 2 ms for each of its tokens. */
const round = {
  blockTokens: 4,
  kvBlocks: 64,
  maxModelTokens: 256,
  stepOverheadMs: 10,
  decodeMsPerSequence: 1,
  prefillOverheadMs: 100,
  prefillMsPerToken: 2,
  adapterLoadMs: 1000,
};

function setUp(changes: Partial<EngineProfile> = {}) {
  const timeline = new VirtualTimeline();
  const engine = new Engine(timeline, engineProfile({ ...round, ...changes }));
  return { timeline, engine };
}

/** Tokens `from`, `from + 1`, …: prompts with the same start share a prefix. */
function tokens(count: number, from = 1): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => from + i);
}

function request(
  promptCount: number,
  outputCount: number,
  extra: Partial<SequenceRequest> & { from?: number } = {},
): SequenceRequest {
  return {
    promptTokens: tokens(promptCount, extra.from),
    outputTokens: tokens(outputCount, 5000),
    finishReason: 'stop',
    ...extra,
  };
}

function submitted(engine: Engine, of: SequenceRequest): Sequence {
  const sequence = engine.submit(of);
  if (!(sequence instanceof Sequence)) throw new Error(sequence);
  return sequence;
}

describe('the time of one request', () => {
  const cases: [title: string, prompt: number, output: number, firstMs: number, finishedMs: number][] = [
    ['is overhead, prefill overhead and tokens up to the first token', 8, 1, 10 + 100 + 8 * 2, 126],
    ['adds one decode step for each further token', 8, 3, 126, 126 + 2 * 11],
    ['grows with the prompt', 20, 1, 10 + 100 + 40, 150],
  ];
  it.each(cases)('%s', (_title, prompt, output, firstMs, finishedMs) => {
    const { timeline, engine } = setUp();
    const sequence = submitted(engine, request(prompt, output));
    timeline.run();
    expect([sequence.firstTokenMs, sequence.finishedMs]).toEqual([firstMs, finishedMs]);
    expect(sequence.emittedTokens).toBe(output);
    expect(sequence.finishReason).toBe('stop');
    expect(engine.kv.usageRatio).toBe(0);
  });

  it('reports every token at its instant', () => {
    const { timeline, engine } = setUp();
    const seen: [number, number][] = [];
    submitted(engine, request(8, 3, { onToken: (index, atMs) => seen.push([index, atMs]) }));
    timeline.run();
    expect(seen).toEqual([
      [0, 126],
      [1, 137],
      [2, 148],
    ]);
  });

  it('leaves out prompt tokens found in the prefix cache, in whole blocks, but never the last token', () => {
    const { timeline, engine } = setUp();
    submitted(engine, request(8, 1));
    timeline.run();
    const longer = submitted(engine, request(11, 1));
    timeline.run();
    expect(longer.cachedTokens).toBe(8);
    expect(longer.firstTokenMs - longer.arrivedMs).toBe(10 + 100 + 3 * 2);
    const same = submitted(engine, request(8, 1));
    timeline.run();
    expect(same.cachedTokens).toBe(4);
  });

  it('finds the answer of the turn before in the next turn of a conversation', () => {
    const { timeline, engine } = setUp();
    const first = request(8, 5);
    submitted(engine, first);
    timeline.run();
    const history = Int32Array.from([...first.promptTokens, ...first.outputTokens, 9001, 9002]);
    const next = submitted(engine, { ...request(1, 1), promptTokens: history });
    timeline.run();
    // 12 of 13: the last emitted token was never an input, so its key and value are not in memory.
    expect(next.cachedTokens).toBe(12);
  });

  it('computes long prompts in chunks of the step budget', () => {
    const { timeline, engine } = setUp({ maxBatchedTokens: 16 });
    const sequence = submitted(engine, request(40, 1));
    timeline.run();
    expect(sequence.firstTokenMs).toBe(10 + 100 + 32 + (10 + 32) + (10 + 16));
  });

  it('takes less time on a jittering engine only within the ratio, and the same with the same seed', () => {
    const run = (seed: number) => {
      const timeline = new VirtualTimeline();
      const engine = new Engine(timeline, engineProfile({ ...round, jitterRatio: 0.2 }), seed);
      const sequence = submitted(engine, request(8, 10));
      timeline.run();
      return sequence.finishedMs;
    };
    const exactMs = 126 + 9 * 11;
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
    for (let seed = 0; seed < 20; seed++) expect(Math.abs(run(seed) - exactMs)).toBeLessThanOrEqual(0.2 * exactMs);
  });
});

describe('batching', () => {
  it('shares a step among the requests of one instant, and slows decoding by batch size', () => {
    const { timeline, engine } = setUp();
    const both = [submitted(engine, request(4, 2, { from: 1 })), submitted(engine, request(4, 2, { from: 100 }))];
    timeline.run();
    expect(both.map((sequence) => sequence.firstTokenMs)).toEqual([10 + 200 + 16, 226]);
    expect(both.map((sequence) => sequence.finishedMs)).toEqual([226 + 12, 238]);
  });

  it('lets requests above the batch size wait, and then go in order of arrival', () => {
    const { timeline, engine } = setUp({ maxRunningSequences: 2 });
    const order: number[] = [];
    for (let i = 0; i < 5; i++) submitted(engine, request(4, 3, { from: 100 * i, onFinish: () => order.push(i) }));
    timeline.run(1);
    expect([engine.runningSequences, engine.waitingRequests]).toEqual([2, 3]);
    timeline.run();
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect([engine.runningSequences, engine.waitingRequests]).toEqual([0, 0]);
  });

  it('keeps a prompt waiting for which memory lacks, and starts it when some is free', () => {
    const { timeline, engine } = setUp({ kvBlocks: 4, maxModelTokens: 16 });
    submitted(engine, request(11, 1, { from: 1 }));
    const second = submitted(engine, request(8, 1, { from: 100 }));
    timeline.run(1);
    expect([engine.runningSequences, engine.waitingRequests]).toEqual([1, 1]);
    expect(engine.kv.usageRatio).toBe(0.75);
    timeline.run();
    expect(second.startedMs).toBe(10 + 100 + 22);
  });

  it('takes the memory of the youngest when an older sequence must grow, and computes the youngest again', () => {
    const { timeline, engine } = setUp({ kvBlocks: 4, maxModelTokens: 16 });
    const old = submitted(engine, request(8, 6, { from: 1 }));
    const young = submitted(engine, request(8, 6, { from: 100 }));
    timeline.run();
    expect(engine.stats.preemptions).toBe(1);
    expect(old.finishedMs).toBeLessThan(young.finishedMs);
    expect([old.emittedTokens, young.emittedTokens]).toEqual([6, 6]);
    expect(engine.kv.usageRatio).toBe(0);
  });

  it('frees everything when clients go away, in the batch and in the queue', () => {
    const { timeline, engine } = setUp({ maxRunningSequences: 1 });
    const reasons: (string | undefined)[] = [];
    const onFinish = (sequence: Sequence) => reasons.push(sequence.finishReason);
    const running = submitted(engine, request(8, 100, { onFinish }));
    const queued = submitted(engine, request(8, 100, { onFinish }));
    timeline.run(500);
    engine.abort(queued);
    engine.abort(running);
    engine.abort(running);
    expect(reasons).toEqual(['abort', 'abort']);
    expect([engine.runningSequences, engine.waitingRequests, engine.kv.usageRatio]).toEqual([0, 0, 0]);
    timeline.run();
    expect(engine.stats.finished).toEqual({ stop: 0, length: 0, abort: 2 });
  });
});

describe('adapters', () => {
  function withAdapters(changes: Partial<EngineProfile> = {}) {
    const made = setUp(changes);
    for (const name of ['red', 'blue']) made.engine.adapters.register(name, `/adapters/${name}`);
    return made;
  }

  it('are loaded once, at the cost of the step that first needs them', () => {
    const { timeline, engine } = withAdapters();
    const first = submitted(engine, request(4, 1, { adapter: 'red' }));
    timeline.run();
    const second = submitted(engine, request(4, 1, { adapter: 'red', from: 100 }));
    timeline.run();
    expect(first.firstTokenMs).toBe(10 + 100 + 8 + 1000);
    expect(second.firstTokenMs - second.arrivedMs).toBe(10 + 100 + 8);
  });

  it('never mix in one batch beyond the limit, while others pass', () => {
    const { timeline, engine } = withAdapters({ maxAdapters: 1 });
    submitted(engine, request(4, 5, { adapter: 'red' }));
    submitted(engine, request(4, 5, { adapter: 'blue', from: 100 }));
    submitted(engine, request(4, 5, { from: 200 }));
    timeline.run(1);
    expect(engine.adaptersInUse()).toEqual({ running: ['red'], waiting: ['blue'] });
    expect([engine.runningSequences, engine.waitingRequests]).toEqual([2, 1]);
    timeline.run();
    expect(engine.stats.finished.stop).toBe(3);
  });

  it('do not share cached prefixes with the base model', () => {
    const { timeline, engine } = withAdapters();
    submitted(engine, request(9, 1));
    timeline.run();
    const adapted = submitted(engine, request(9, 1, { adapter: 'red' }));
    timeline.run();
    expect(adapted.cachedTokens).toBe(0);
  });
});

describe('what an engine refuses', () => {
  const cases: [refusal: string, changes: Partial<EngineProfile>, of: SequenceRequest][] = [
    ['loading', { loadMs: 10 }, request(4, 1)],
    ['too-long', {}, request(250, 7)],
    ['empty', {}, request(0, 1)],
    ['empty', {}, request(1, 0)],
    ['unknown-adapter', {}, request(1, 1, { adapter: 'green' })],
  ];
  it.each(cases)('%s', (refusal, changes, of) => {
    expect(setUp(changes).engine.submit(of)).toBe(refusal);
  });

  it('queue-full, when batch and queue are', () => {
    const { timeline, engine } = setUp({ maxRunningSequences: 1, maxWaitingRequests: 1 });
    submitted(engine, request(4, 50));
    submitted(engine, request(4, 50));
    expect(engine.submit(request(4, 1))).toBe('queue-full');
    timeline.run(200);
    expect(engine.submit(request(4, 1))).toBe('queue-full');
  });

  it('nothing of it once it has loaded', () => {
    const { timeline, engine } = setUp({ loadMs: 10 });
    timeline.run(10);
    expect(engine.isReady).toBe(true);
    expect(engine.submit(request(4, 1))).toBeInstanceOf(Sequence);
  });
});

describe('statistics', () => {
  it('add up over finished requests', () => {
    const { timeline, engine } = setUp();
    submitted(engine, request(8, 3, { maxTokens: 3, finishReason: 'length' }));
    timeline.run();
    submitted(engine, request(12, 2));
    timeline.run();
    const { stats } = engine;
    expect(stats).toMatchObject({ promptTokens: 20, generationTokens: 5, prefixQueriedTokens: 20, prefixHitTokens: 8 });
    expect(stats.finished).toEqual({ stop: 1, length: 1, abort: 0 });
    expect([stats.timeToFirstToken.count, stats.interTokenLatency.count, stats.endToEnd.count]).toEqual([2, 3, 2]);
    expect(stats.timeToFirstToken.sum).toBeCloseTo((126 + 10 + 100 + 8) / 1000, 9);
    expect([stats.requestMaxTokens.count, stats.requestMaxTokens.sum]).toEqual([1, 3]);
  });
});
