import { headroomScorer } from '../../../examples/custom-scorer/headroom-scorer';
import { Filter, Scorer, Scoring } from '../../../src';
import { defineScorer, type ScoreEndpoint } from '../../../src/picker/scheduling/interface';
import { scheduleWith } from '../../../src/testing';

const scorer = (score: ScoreEndpoint, type = 'my-scorer') => defineScorer({ type, create: () => score });

describe('scheduleWith', () => {
  test('chooses by a scorer, and tells the scores', () => {
    const tier = scorer((_request, { labels }) => (labels['tier'] === 'gold' ? 1 : 0.25));
    const { chosen, endpoints } = scheduleWith([{ name: 'a' }, { name: 'b', labels: { tier: 'gold' } }], {}, { plugins: [tier] });
    expect(chosen).toEqual(['b']);
    expect(endpoints).toEqual([
      { name: 'b', verdict: 'kept', scores: { 'my-scorer': 1 }, weights: { 'my-scorer': 1 }, total: 1, tied: false },
      { name: 'a', verdict: 'kept', scores: { 'my-scorer': 0.25 }, weights: { 'my-scorer': 1 }, total: 0.25, tied: false },
    ]);
  });

  test('gives a scorer everything that the test says of an endpoint, and the request', () => {
    const seen: object[] = [];
    const looking = scorer((request, candidate, candidates) => {
      const { name, hostPort, waiting, running, kvUsageRatio, gpuUsageRatio, kvTokens, trustRatio, load, inFlight } = candidate;
      const { prefillTokens, outputTokensInFlight, cachedTokens, decodeMsPerToken } = candidate;
      seen.push({ name, hostPort, waiting, running, kvUsageRatio, gpuUsageRatio, kvTokens, trustRatio, load, inFlight });
      seen.push({ prefillTokens, outputTokensInFlight, cachedTokens, decodeMsPerToken });
      seen.push({ model: request.model, target: request.targetModel, tier: request.header('x-tier'), max: request.maxTokens });
      expect(candidates.map((other) => other.name)).toEqual(['full', 'new']);
      return 0.5;
    });
    scheduleWith(
      [
        {
          name: 'full',
          waiting: 3,
          running: 4,
          kvUsageRatio: 0.5,
          gpuUsageRatio: 0.75,
          kvTokens: 3200,
          inFlight: 9,
          prefillTokens: 70,
          outputTokensInFlight: 11,
          decodeMsPerToken: 12.5,
          seenPrompts: ['x'.repeat(600)],
        },
        { name: 'new', hasReported: false },
      ],
      { model: 'm', targetModel: 'adapter', prompt: 'x'.repeat(600), headers: { 'x-tier': 'gold' }, maxTokens: 5 },
      {
        plugins: [{ ...looking, usesPrefixCache: true }],
        scoring: Scoring.of(Scorer.custom('my-scorer'), Scorer.prefixCache()),
      },
    );
    const request = { model: 'm', target: 'adapter', tier: 'gold', max: 5 };
    expect(seen.slice(-6)).toEqual([
      {
        name: 'full',
        hostPort: '10.0.0.0:8000',
        waiting: 3,
        running: 4,
        kvUsageRatio: 0.5,
        gpuUsageRatio: 0.75,
        kvTokens: 3200,
        trustRatio: 1,
        load: 9,
        inFlight: 9,
      },
      { prefillTokens: 70, outputTokensInFlight: 11, cachedTokens: 128, decodeMsPerToken: 12.5 },
      request,
      expect.objectContaining({ name: 'new', trustRatio: 0, kvTokens: 0, gpuUsageRatio: undefined, load: 0 }),
      { prefillTokens: 0, outputTokensInFlight: 0, cachedTokens: 0, decodeMsPerToken: 0 },
      request,
    ]);
  });

  test('uses the scoring that is deployed: filters, weights, plugins beside those of the picker', () => {
    const scoring = Scoring.of(Scorer.custom('headroom-scorer', { reserveTokens: 0 }, 2), Scorer.queue()).withFilter(
      Filter.podLabels({ gpu: 'h100' }),
    );
    const { chosen, endpoints } = scheduleWith(
      [
        { name: 'full', labels: { gpu: 'h100' }, kvTokens: 1_000, kvUsageRatio: 0.9 },
        { name: 'roomy', labels: { gpu: 'h100' }, kvTokens: 1_000, kvUsageRatio: 0.2, waiting: 1 },
        { name: 'other', labels: { gpu: 'l4' }, kvTokens: 1_000 },
        { name: 'down', ready: false },
      ],
      {},
      { plugins: [headroomScorer], scoring },
    );
    expect(chosen).toEqual(['roomy']);
    expect(endpoints.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['roomy', 'kept'],
      ['full', 'kept'],
      ['other', 'label-selector-filter'],
      ['down', 'not-ready'],
    ]);
    expect(endpoints[0]).toMatchObject({ scores: { 'headroom-scorer': 0.8, 'queue-scorer': 0 }, total: 1.6 });
  });

  test("works with the picker's default: a cached prompt goes home", () => {
    const prompt = 'system prompt '.repeat(500);
    expect(scheduleWith([{ name: 'a' }, { name: 'b', seenPrompts: [prompt] }, { name: 'c' }], { prompt }).chosen).toEqual(['b']);
  });

  test('says that chance decided, by the seed', () => {
    const equal = scorer(() => 0.5);
    const endpoints = Array.from({ length: 20 }, (_, index) => ({ name: `e${index}` }));
    const chosenBy = (seed: number): readonly string[] => scheduleWith(endpoints, {}, { plugins: [equal], seed }).chosen;
    expect(chosenBy(3)).toEqual(chosenBy(3));
    expect(new Set([1, 2, 3, 4, 5].flatMap(chosenBy)).size).toBeGreaterThan(1);
    expect(scheduleWith(endpoints, {}, { plugins: [equal] }).endpoints.every(({ tied }) => tied)).toBe(true);
  });

  test('an empty pool gives nothing', () => {
    expect(scheduleWith([]).chosen).toEqual([]);
    expect(scheduleWith([{ name: 'a', ready: false }]).chosen).toEqual([]);
  });

  test('throws where the picker would go on: a test must see it', () => {
    const failing = scorer(() => {
      throw new RangeError('no such tier');
    });
    const nan = scorer((_request, { kvTokens }) => 0 / kvTokens);
    const high = scorer(() => 7);
    const one = [{ name: 'a' }];
    expect(() => scheduleWith(one, {}, { plugins: [failing] })).toThrow(new RangeError('no such tier'));
    expect(() => scheduleWith(one, {}, { plugins: [nan] })).toThrow(
      "scorer 'my-scorer' gave NaN (allowed: a number from 0 to 1)",
    );
    expect(() => scheduleWith(one, {}, { plugins: [high] })).toThrow("scorer 'my-scorer' gave 7");
  });

  test('refuses what a picker would refuse', () => {
    const known = scorer(() => 1);
    const scoring = Scoring.of(Scorer.custom('my-scroer'));
    expect(() => scheduleWith([], {}, { plugins: [known], scoring })).toThrow(/AIG507 .*did you mean 'my-scorer'/);
    expect(() => scheduleWith([], {}, { plugins: [known, known] })).toThrow('two plugins have the same type');
    expect(() => scheduleWith([], {}, { plugins: [scorer(() => 1, 'queue-scorer')] })).toThrow(
      /type of one that is there already/,
    );
    const parameters = Scoring.of(Scorer.custom('headroom-scorer', { reserveTokens: -1, reserve: 2 }));
    expect(() => scheduleWith([], {}, { plugins: [headroomScorer], scoring: parameters })).toThrow(
      /reserveTokens.*got -1[\s\S]*has no parameter 'reserve' .*did you mean 'reserveTokens'/,
    );
  });
});
