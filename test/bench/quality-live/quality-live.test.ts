import { engineProfile } from '../../../src/simulation/engine/core/profile';
import { SMALL_SCENARIOS } from '../../../src/simulation/routing/scenarios';
import { describeWith } from '../../components/describe-with';
import { report } from './report';
import { LIVE_ROUTERS } from './routers';
import { type LiveRun, runOnce } from './run';

const LENGTH = { seconds: 3, warmUpSeconds: 1, patienceSeconds: 20 };
const FAST = engineProfile({ stepOverheadMs: 4, prefillMsPerToken: 0.01 });

/** Real traffic, but to two engines that are fast enough for it. */
function measured(router: string, traffic: string): Promise<LiveRun> {
  const scenario = SMALL_SCENARIOS.find(({ name }) => name === traffic)!;
  const engines = scenario.engines.slice(0, 2).map(({ maxAdapters }) => ({ ...FAST, maxAdapters }));
  return runOnce(LIVE_ROUTERS.find(({ name }) => name === router)!, { ...scenario, engines }, 1, LENGTH);
}

describeWith(['envoy'], 'the comparison of routers behind Envoy', () => {
  test.each(['default', 'least-request'])('%s serves all of a short run', async (router) => {
    const run = await measured(router, 'shared 40/s');
    expect(run.offered).toBeGreaterThan(40);
    expect(run.served).toBe(run.offered);
    expect(run.ttftP99Ms).toBeGreaterThan(run.ttftP50Ms);
    expect(run.totalMeanMs).toBeGreaterThan(run.ttftMeanMs);
    expect(run.hitRatio).toBeGreaterThan(0.1);
    expect(run.maxToMeanLoad).toBeGreaterThanOrEqual(1);
    expect(Object.values(run.cores).every((cores) => cores > 0)).toBe(true);
  });

  test('one of two engines that restarts costs few requests', async () => {
    const run = await measured('default', 'shared 40/s, one restarted');
    expect(run.served).toBeGreaterThan(0.8 * run.offered);
    expect(run.maxToMeanLoad).toBeGreaterThan(1.1);
  });

  test('conversations go on, adapters are found, and the report says what came of it', async () => {
    const talk = await measured('default', 'turns 60/s');
    const lora = await measured('default', 'lora 30/s');
    expect([talk.served, lora.served]).toEqual([talk.offered, lora.offered]);
    expect(talk.hitRatio).toBeGreaterThan(0.1);
    const other = { ...lora, router: 'random', ttftMeanMs: 2 * lora.ttftMeanMs, errors: { 503: 2 } };
    const text = report([talk, lora, other]);
    expect(text).toMatch(/^\| lora 30\/s \| the best \| same random \| better random \|/m);
    expect(text).toMatch(/^! lora 30\/s, random, not served: 2× 503$/m);
    expect(text).toMatch(/^! some traffic was repeated 1 times only/m);
  });
});
