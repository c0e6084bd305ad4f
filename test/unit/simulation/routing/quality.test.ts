import { DEFAULT_SCHEDULING, LLMD_DEFAULT_SCHEDULING } from '../../../../src/picker/scheduling/scheduler-builder';
import type { RunResult } from '../../../../src/simulation/routing/measures';
import { pickerRouter, type RouterFactory, randomRouter } from '../../../../src/simulation/routing/router';
import { runTraffic } from '../../../../src/simulation/routing/run-traffic';
import { SCENARIOS } from '../../../../src/simulation/routing/scenarios';

const ours = pickerRouter('default', DEFAULT_SCHEDULING);
const llmd = pickerRouter('llm-d 2/2/3', LLMD_DEFAULT_SCHEDULING);

function run(name: string, router: RouterFactory): RunResult {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)!;
  return runTraffic({ ...scenario, router, seed: 100, durationMs: 8_000, warmUpMs: 1_000 });
}

describe('the default profile in virtual time', () => {
  test('a run can be repeated exactly', () => {
    expect(run('turns 30/s', ours)).toEqual(run('turns 30/s', ours));
  });

  test.each([
    'shared 40/s',
    'mixed 40/s',
    'skewed 60/s',
  ])('%s: no later first token than llm-d 2/2/3, and as many served', (name) => {
    const [mine, theirs] = [run(name, ours), run(name, llmd)];
    expect(mine.ttftMeanMs).toBeLessThanOrEqual(theirs.ttftMeanMs);
    expect(mine.totalMeanMs).toBeLessThanOrEqual(theirs.totalMeanMs);
    expect(mine.servedRatio).toBe(1);
  });

  test('shared prefixes: hits that chance does not find', () => {
    expect(run('shared 40/s', ours).hitRatio).toBeGreaterThan(2 * run('shared 40/s', randomRouter).hitRatio);
  });
});
