import type { Construct } from 'constructs';
import type { Problem } from '../../shared/problem';
import { warn } from '../internal/emit';
import { refuseAll } from '../internal/errors';
import { ApiGeneration } from '../values/api-generation';
import { PickerDelivery } from '../values/picker-delivery';
import { PickerProgram } from '../values/picker-program';
import { Scoring } from '../values/scoring';
import type { PickerInput } from './input';
import type { EndpointPickerOptions, PickerResources } from './options';

/** Published by the llm-d project; the version whose flags, probes and plugins this library knows. */
export const LLMD_IMAGE = 'ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0';

/** The options of a picker with every default filled in. */
export interface ResolvedPicker {
  readonly isLlmd: boolean;
  readonly delivery: PickerDelivery;
  readonly scoring: Scoring;
  readonly secureServing: boolean;
  readonly logVerbosity: number;
  readonly drainSeconds: number;
  readonly resources: Required<Omit<PickerResources, 'cpuLimit'>> & Pick<PickerResources, 'cpuLimit'>;
}

// This picker: 66 MB resident with the Kubernetes client loaded, and bodies of up to 16 MiB that wait. llm-d's: 70 MB with short
// prompts, 230 MB with prompts of 256 KB, and one core for its metrics loop at 100 endpoints (docs/constructs/endpoint-picker.md).
const OWN_RESOURCES = { cpuRequest: '100m', memoryRequest: '128Mi', memoryLimit: '512Mi' };
const LLMD_RESOURCES = { cpuRequest: '1', memoryRequest: '512Mi', memoryLimit: '2Gi' };

const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/**
 * Fills in the defaults and refuses everything that does not fit together, in one error.
 *
 * @throws AIG441 to AIG444, AIG448, AIG449, AIG458
 */
export function resolvePicker(scope: Construct, options: EndpointPickerOptions, input: PickerInput): ResolvedPicker {
  const isLlmd = options.program === PickerProgram.LLMD;
  const delivery = options.delivery ?? (isLlmd ? PickerDelivery.image(LLMD_IMAGE) : PickerDelivery.configMap());
  const resolved: ResolvedPicker = {
    isLlmd,
    delivery,
    scoring: options.scoring ?? (isLlmd ? Scoring.llmdDefault() : Scoring.default()),
    secureServing: input.secureServing,
    logVerbosity: options.logVerbosity ?? 1,
    drainSeconds: options.drainSeconds ?? 120,
    resources: { ...(isLlmd ? LLMD_RESOURCES : OWN_RESOURCES), ...given(options.resources ?? {}) },
  };
  refuseAll(scope, [
    ...(isLlmd ? llmdProblems(resolved, options, input) : []),
    ...poolProblems(input),
    ...valueProblems(options, resolved),
  ]);
  if (!delivery.isPinned) {
    warn(scope, `the picker's image ${delivery.containerImage} has no fixed version: a restarted pod may run another picker`);
  }
  return resolved;
}

/** What the llm-d picker has no way to do. */
function llmdProblems(resolved: ResolvedPicker, options: EndpointPickerOptions, input: PickerInput): Omit<Problem, 'where'>[] {
  const problems: Omit<Problem, 'where'>[] = [];
  if (resolved.delivery.kind === 'configMap') {
    problems.push({
      code: 'AIG441',
      what: 'PickerDelivery.configMap() carries the picker of this project, and the llm-d picker was asked for',
      fix: `use PickerDelivery.image('${LLMD_IMAGE}'), or leave delivery out`,
    });
  }
  if (resolved.scoring.isOwnDefault) {
    problems.push({
      code: 'AIG442',
      what: 'the llm-d picker does not have Scoring.default()',
      allowed: 'Scoring.llmdDefault(), Scoring.gpuAware(), Scoring.of(…)',
      fix: 'choose one of these, or use the picker of this project',
    });
  }
  if (input.policy !== undefined) {
    problems.push({
      code: 'AIG443',
      what: 'the llm-d picker reads no picker policy: no models that share it, no identity, no token budgets',
      fix: 'use the picker of this project, or leave budgets, aliases and fallbacks out and attach the pool to the gateway itself',
    });
  }
  const [pool] = input.pools;
  if (options.peerSecret !== undefined) {
    problems.push({
      code: 'AIG443',
      what: 'replicas of the llm-d picker do not talk to each other: only one of them is active',
      value: 'peerSecret',
      fix: 'leave it out, or use the picker of this project',
    });
  }
  if (input.pools.length > 1) {
    problems.push({
      code: 'AIG444',
      what: 'the llm-d picker chooses among the endpoints of one pool',
      value: input.pools.map(({ name }) => name),
      fix: 'use the picker of this project, or a picker for each pool',
    });
  } else if (pool?.installed && pool.generation !== ApiGeneration.V1) {
    problems.push({
      code: 'AIG444',
      what: 'the llm-d picker 0.10 reads InferencePool v1 only',
      value: pool.generation.name,
      allowed: 'v1',
      fix: 'install the v1 kind in the cluster and set ApiGeneration.V1, or use the picker of this project',
    });
  }
  return problems;
}

function poolProblems(input: PickerInput): Omit<Problem, 'where'>[] {
  if (input.pools.length === 0 || (input.pools.length > 1 && input.policy === undefined)) {
    return [
      {
        code: 'AIG444',
        what: 'a picker without a policy serves exactly one pool',
        value: input.pools.map(({ name }) => name),
        fix: 'give it one pool, or add models for several pools to one gateway',
      },
    ];
  }
  return [];
}

function valueProblems(options: EndpointPickerOptions, resolved: ResolvedPicker): Omit<Problem, 'where'>[] {
  const problems: Omit<Problem, 'where'>[] = [];
  if (options.secureServing !== undefined && options.secureServing !== resolved.secureServing) {
    problems.push({
      code: 'AIG458',
      what: 'secureServing does not fit the proxy that asks the picker',
      value: options.secureServing,
      allowed: String(resolved.secureServing),
      fix: 'leave it out: a proxy in the same pod asks over loopback, without TLS',
    });
  }
  const whole = (name: string, value: number, min: number, max: number, fix: string): void => {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    problems.push({
      code: 'AIG448',
      what: `${name} is out of range`,
      value: String(value),
      allowed: `a whole number from ${min} to ${max}`,
      fix,
    });
  };
  whole('replicas', options.replicas ?? 2, 1, 100, 'leave it out to have 2');
  whole('logVerbosity', resolved.logVerbosity, 0, 10, 'leave it out to have 1');
  whole('drainSeconds', resolved.drainSeconds, 0, 3_600, 'leave it out to have 120');
  for (const [name, value] of Object.entries(given(options.resources ?? {}))) {
    if (QUANTITY.test(value)) continue;
    problems.push({
      code: 'AIG448',
      what: `${name} is no quantity`,
      value,
      allowed: 'a number with a unit such as 100m, 512Mi or 2Gi',
      fix: 'write it as Kubernetes does',
    });
  }
  for (const [name, value] of [...Object.entries(options.extraEnv ?? {}), ...Object.entries(options.secretEnv ?? {})]) {
    if (!ENV_NAME.test(name)) {
      problems.push({
        code: 'AIG448',
        what: 'an environment variable has a name that a pod cannot have',
        value: name,
        allowed: 'letters, digits, _, - and ., not starting with a digit',
        fix: 'rename it',
      });
    } else if (typeof value === 'string' && /(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)$/i.test(name)) {
      problems.push({
        code: 'AIG449',
        what: 'an environment variable that looks like a secret is given as text, which everybody can read who can read the Deployment',
        value: name,
        fix: `store it in a Secret and pass secretEnv: { ${name}: SecretReference.fromSecretName(…) }`,
      });
    }
  }
  return problems;
}

function given(resources: PickerResources): { [name: string]: string } {
  return Object.fromEntries(Object.entries(resources).filter(([, value]) => value !== undefined));
}
