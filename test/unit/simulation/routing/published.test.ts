import { DEFAULT_SCHEDULING } from '../../../../src/picker/scheduling/scheduler-builder';
import type { RunResult } from '../../../../src/simulation/routing/measures';
import { PUBLISHED_SCENARIOS } from '../../../../src/simulation/routing/published';
import { leastRequestRouter, pickerRouter, type RouterFactory } from '../../../../src/simulation/routing/router';
import { runTraffic } from '../../../../src/simulation/routing/run-traffic';

const ours = pickerRouter('default', DEFAULT_SCHEDULING);

function run(name: string, router: RouterFactory): RunResult {
  const scenario = PUBLISHED_SCENARIOS.find((candidate) => candidate.name === name)!;
  return runTraffic({ ...scenario, router, seed: 100, durationMs: 60_000, warmUpMs: 30_000 });
}

describe('what others measured, in virtual time', () => {
  test('long shared prefixes: more than twice the answers of the fewest requests, as Kthena found', () => {
    const name = '256 groups, prefix 4,096';
    expect(run(name, ours).answersPerSecond).toBeGreaterThan(2 * run(name, leastRequestRouter).answersPerSecond);
  });

  test('short ones: next to nothing, as Kthena found', () => {
    const name = '256 groups, prefix 256';
    const ratio = run(name, ours).answersPerSecond / run(name, leastRequestRouter).answersPerSecond;
    expect(ratio).toBeGreaterThan(0.98);
    expect(ratio).toBeLessThan(1.1);
  });

  test('clients of a closed loop have one request under way each, and never stop before the end', () => {
    const { servedRatio, answersPerSecond, totalMeanMs } = run('256 groups, prefix 256', ours);
    expect(servedRatio).toBe(1);
    // Little's law
    expect((answersPerSecond * totalMeanMs) / 1e3 / 300).toBeCloseTo(1, 1);
  });
});
