/**
 * How well requests are routed, in virtual time: simulated engines, open-loop traffic, the picker's own code. Prints one row for each router
 * and traffic. Run: `npm run bench -- --quality-simulated`; arguments: `--seconds 60 --seeds 3 --traffic shared --router default`.
 */
import { parseArgs } from 'node:util';
import {
  DEFAULT_SCHEDULING,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../src/picker/scheduling/scheduler-builder';
import type { RunResult } from '../../src/simulation/routing/measures';
import { leastRequestRouter, pickerRouter, type RouterFactory, randomRouter } from '../../src/simulation/routing/router';
import { runTraffic } from '../../src/simulation/routing/run-traffic';
import { SCENARIOS, type Scenario } from '../../src/simulation/routing/scenarios';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    seeds: { type: 'string', default: '2' },
    traffic: { type: 'string', default: '' },
    router: { type: 'string', default: '' },
    parameters: { type: 'string', default: '' },
  },
});

function ours(parameters: string): SchedulingConfig {
  if (parameters === '') return DEFAULT_SCHEDULING;
  const [scorer, ...others] = DEFAULT_SCHEDULING.plugins;
  return { ...DEFAULT_SCHEDULING, plugins: [{ ...scorer!, parameters: JSON.parse(parameters) }, ...others] };
}

const ROUTERS: readonly [string, RouterFactory][] = [
  ['default', pickerRouter('default', ours(values.parameters))],
  ['llm-d 2/2/3', pickerRouter('llm-d 2/2/3', LLMD_DEFAULT_SCHEDULING)],
  ['least-request', leastRequestRouter],
  ['random', randomRouter],
];

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1]!;
}

function mediansOf(scenario: Scenario, router: RouterFactory): (key: keyof RunResult) => number {
  const durationMs = Number(values.seconds) * 1e3;
  const results = Array.from({ length: Number(values.seeds) }, (_, seed) =>
    runTraffic({ ...scenario, router, seed: 100 + seed, durationMs, warmUpMs: durationMs / 6, ...restart(scenario, durationMs) }),
  );
  return (key) => median(results.map((result) => result[key] as number));
}

function restart({ restarts }: Scenario, durationMs: number): { restartAtMs?: number } {
  return restarts ? { restartAtMs: durationMs / 2 } : {};
}

const head = ['traffic', 'router', 'served', 'TTFT mean', 'p50', 'p99', 'E2E mean', 'hits', 'max/mean'];
console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
for (const scenario of SCENARIOS) {
  if (!scenario.name.includes(values.traffic)) continue;
  for (const [name, router] of ROUTERS) {
    if (!name.includes(values.router)) continue;
    const result = mediansOf(scenario, router);
    const cells = [
      `${(100 * result('servedRatio')).toFixed(1)} %`,
      ...(['ttftMeanMs', 'ttftP50Ms', 'ttftP99Ms', 'totalMeanMs'] as const).map((key) => result(key).toFixed(0)),
      result('hitRatio').toFixed(2),
      result('maxToMeanLoad').toFixed(2),
    ];
    console.log(`| ${[scenario.name, name, ...cells].join(' | ')} |`);
  }
}
