/**
 * How well requests are routed, in virtual time: simulated engines, open-loop traffic, the picker's own code. Prints one row for each router
 * and traffic. Run: `npm run bench -- --quality-simulated`; arguments: `--seconds 60 --seeds 3 --traffic shared --router default`, and
 * `--published` for traffic that others measured, whose lengths are given.
 */
import { parseArgs } from 'node:util';
import {
  DEFAULT_SCHEDULING,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../src/picker/scheduling/scheduler-builder';
import type { RunResult } from '../../src/simulation/routing/measures';
import { PUBLISHED_SCENARIOS } from '../../src/simulation/routing/published';
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
    published: { type: 'boolean', default: false },
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

interface Length {
  readonly durationMs: number;
  readonly warmUpMs: number;
}

function mediansOf(scenario: Scenario, router: RouterFactory, length: Length): (key: keyof RunResult) => number {
  const restart = scenario.restarts ? { restartAtMs: length.durationMs / 2 } : {};
  const results = Array.from({ length: Number(values.seeds) }, (_, seed) =>
    runTraffic({ ...scenario, router, seed: 100 + seed, ...length, ...restart }),
  );
  return (key) => median(results.map((result) => result[key] as number));
}

/** The table's columns for a result. */
type Cells = (result: (key: keyof RunResult) => number) => string[];

function print(head: readonly string[], scenarios: readonly (Scenario & { readonly length: Length })[], cells: Cells): void {
  console.log(`| ${['traffic', 'router', ...head].join(' | ')} |\n|${'---|'.repeat(2 + head.length)}`);
  for (const scenario of scenarios) {
    if (!scenario.name.includes(values.traffic)) continue;
    for (const [name, router] of ROUTERS) {
      if (!name.includes(values.router)) continue;
      console.log(`| ${[scenario.name, name, ...cells(mediansOf(scenario, router, scenario.length))].join(' | ')} |`);
    }
  }
}

/** Nobody served is no time at all. */
const shown = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;

if (values.published) {
  const scenarios = PUBLISHED_SCENARIOS.map((scenario) => ({
    ...scenario,
    length: { durationMs: scenario.seconds * 1e3, warmUpMs: scenario.warmUpSeconds * 1e3 },
  }));
  const seconds = (ms: number): string => shown(ms / 1e3, 2);
  print(['served', 'answers/s', 'TTFT mean, s', 'p50', 'p90', 'E2E mean, s', 'hits', 'max/mean'], scenarios, (result) => [
    percent(result('servedRatio')),
    shown(result('answersPerSecond'), 1),
    ...(['ttftMeanMs', 'ttftP50Ms', 'ttftP90Ms', 'totalMeanMs'] as const).map((key) => seconds(result(key))),
    shown(result('hitRatio'), 2),
    shown(result('maxToMeanLoad'), 2),
  ]);
} else {
  const durationMs = Number(values.seconds) * 1e3;
  const scenarios = SCENARIOS.map((scenario) => ({ ...scenario, length: { durationMs, warmUpMs: durationMs / 6 } }));
  print(['served', 'TTFT mean', 'p50', 'p99', 'E2E mean', 'hits', 'max/mean'], scenarios, (result) => [
    percent(result('servedRatio')),
    ...(['ttftMeanMs', 'ttftP50Ms', 'ttftP99Ms', 'totalMeanMs'] as const).map((key) => shown(result(key), 0)),
    shown(result('hitRatio'), 2),
    shown(result('maxToMeanLoad'), 2),
  ]);
}
