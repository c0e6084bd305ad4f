import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { type Engine, engines } from './support/engines';
import { modelSize, weightBytes } from './support/model-size';

// A fast local disk, and the least that kernels and CUDA graphs take: nothing real is faster.
const FASTEST_BYTES_PER_SECOND = 2e9;
const COMPILE_SECONDS = 20;

/** A probe that gives up before the weights are in memory kills the engine again and again. */
export const startupTime: Rule = {
  code: 'AIG202',
  name: 'startup-time',
  title: 'The probes of an engine leave time to load the weights',
  severity: 'error',
  check: (index) => engines(index).flatMap(check),
};

function check(engine: Engine): RuleFinding[] {
  const size = modelSize(engine);
  if (size === undefined) return [];
  const startup = engine.container.at('startupProbe');
  const probe = startup.isSet ? startup : engine.container.at('livenessProbe');
  if (!probe.isSet) return [];
  const gigabytes = weightBytes(size) / 1e9;
  const leastSeconds = Math.ceil(weightBytes(size) / FASTEST_BYTES_PER_SECOND) + COMPILE_SECONDS;
  const budget = budgetSeconds(probe);
  if (budget >= leastSeconds) return [];
  return [
    finding(probe, `gives up after ${budget} s, and ${gigabytes.toFixed(0)} GB of weights alone take longer to load`, {
      allowed: `at least ${leastSeconds} s from a disk of 2 GB/s; ${Math.ceil(weightBytes(size) / 1e8) + 300} s when downloaded with 100 MB/s`,
      fix: startup.isSet ? 'raise failureThreshold' : 'add a startupProbe with a large failureThreshold',
    }),
  ];
}

function budgetSeconds(probe: Field): number {
  const number = (key: string, byDefault: number): number => probe.at(key).number ?? byDefault;
  return number('initialDelaySeconds', 0) + number('periodSeconds', 10) * number('failureThreshold', 3);
}
