import type { LoadResult } from './load/run-load';
import type { SubjectRun } from './measure';
import { compare, doubts, median, table } from './report';
import type { Scenario } from './scenarios';

const scenario: Scenario = {
  name: '1 KB, closed loop',
  endpoints: 8,
  load: { connections: 1, streams: 1, promptBytes: 1024, prompts: 1 },
};

function run(subject: string, cpuMicros: number, changes: Partial<LoadResult> = {}): SubjectRun {
  const result: LoadResult = {
    requests: 1000,
    errors: 0,
    requestsPerSecond: 1e6 / cpuMicros,
    pickMs: { p50: 1, p99: 2, p999: 3 },
    chunksPerSecond: 0,
    chunkMs: { p50: Number.NaN, p99: Number.NaN },
    serverCpuMicrosPerRequest: cpuMicros,
    serverCpuRatio: 1,
    clientCpuRatio: 0.5,
    ...changes,
  };
  return {
    subject,
    endpoints: 8,
    startUpMs: 100,
    idleCpuRatio: 0.1,
    watchingCpuRatio: 0.2,
    watchingScrapesPerSecond: 20,
    idleRssMb: 50,
    peakRssMb: 60,
    loads: { [scenario.name]: result },
  };
}

describe('the comparison', () => {
  it('takes medians, and says how many times better ours is in the direction that is better', () => {
    const runs = [run('picker', 10), run('picker', 20), run('picker', 90), run('reference', 200), run('reference', 100)];
    const lines = compare(runs, [scenario], 'picker');
    expect(lines.find((line) => line.metric === 'CPU µs/request')).toMatchObject({ ours: 20, rival: 150, ratio: 7.5 });
    expect(lines.find((line) => line.metric === 'requests/s')).toMatchObject({ ours: 50_000, rival: 7500, ratio: 50 / 7.5 });
  });

  it('prints one row per reading', () => {
    const lines = compare([run('picker', 10), run('reference', 100)], [scenario], 'picker');
    const rows = table(lines, 'picker', 'reference').split('\n');
    expect(rows).toHaveLength(2 + lines.length);
    expect(rows.find((row) => row.includes('CPU µs/request'))).toMatch(/10\.0 \| +100 \| +10\.0×/);
  });

  it('names errors, runs without answers, saturated clients and a busy machine', () => {
    const runs = [
      run('picker', 10, { errors: 3 }),
      run('reference', 10, { clientCpuRatio: 0.97 }),
      run('picker', 10, { requests: 0 }),
      run('picker', 10, { serverCpuRatio: 0.3, clientCpuRatio: 0.1 }),
    ];
    expect(doubts(runs)).toEqual([
      expect.stringContaining('3 errors beside 1000 answers'),
      expect.stringContaining('97 % of its core'),
      expect.stringContaining('no answer'),
      expect.stringContaining('more than 30 % of its core'),
    ]);
    expect(doubts([run('picker', 10)])).toEqual([]);
  });
});

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('of %j is %d', (values, middle) => expect(median(values)).toBe(middle));
});
