import type { Construct } from 'constructs';
import { parseFlags } from '../../picker-config/flag-parser';
import { type FlagSpec, PICKER_FLAGS } from '../../picker-config/flags';
import type { Problem } from '../../shared/problem';
import { refuseAll } from '../internal/errors';
import type { PoolReference } from '../internal/pool-reference';
import type { SecretReference } from '../values/secret-reference';
import type { PickerInput } from './input';
import type { EndpointPickerOptions } from './options';
import { PLUGIN_FOLDER, PLUGIN_KEY } from './plugins/plugin-config-map';
import { METRICS_PORT, PEER_PORT } from './ports';
import type { ResolvedPicker } from './resolved-picker';

/** Folder of the ConfigMap with the files below. */
export const CONFIG_FOLDER = '/etc/picker';
/** Folder of the Secret that replicas share. */
export const PEER_SECRET_FOLDER = '/etc/picker-peer-secret';
/** Key of the EndpointPickerConfig. */
export const CONFIG_KEY = 'config.yaml';
/** Key of the PickerPolicy. */
export const POLICY_KEY = 'policy.yaml';

/** Flags that follow from a prop, by the prop to use instead. */
const OWNED: ReadonlyMap<string, string> = new Map([
  ['pool-name', 'the pool'],
  ['pool-namespace', 'the pool'],
  ['pool-group', "the pool's API generation"],
  ['endpoint-selector', 'the pool'],
  ['endpoint-target-ports', 'the pool'],
  ['config-file', 'scoring'],
  ['config-text', 'scoring'],
  ['policy-file', "the gateway's models and limits"],
  ['plugin-file', 'plugins'],
  ['peers', 'replicas'],
  ['peer-port', `port ${PEER_PORT}, which the NetworkPolicy opens for the replicas`],
  ['peer-secret-file', 'peerSecret'],
  ['secure-serving', 'secureServing'],
  ['drain-timeout', 'drainSeconds'],
  ['v', 'logVerbosity'],
  ['ha-enable-leader-election', 'replicas'],
  ['bind-address', "the pod's own address, which the probes ask"],
  ['grpc-port', 'port 9002, which gateways are configured with'],
  ['grpc-health-port', 'port 9003, which the probes ask'],
  ['metrics-port', `port ${METRICS_PORT}, which monitoring is configured with`],
]);

/** llm-d honours all of its own flags but the metric names, which it refuses at start. */
const LLMD_FLAGS: readonly FlagSpec[] = PICKER_FLAGS.filter(({ origin }) => origin === 'llm-d').map((spec) =>
  spec.name.endsWith('-metric') ? spec : { ...spec, status: 'honoured', refusedValues: undefined },
);

/** The flags that this program knows. */
export function flagsOf(picker: ResolvedPicker): readonly FlagSpec[] {
  return picker.isLlmd ? LLMD_FLAGS : PICKER_FLAGS;
}

/**
 * The command line, each flag as `--name=value`, read back through the table of the program's flags.
 *
 * @throws AIG454 for a flag in `extraArgs` that a prop sets, AIG520 to AIG522 for one that the program does not take
 */
export function pickerArguments(
  scope: Construct,
  picker: ResolvedPicker,
  input: PickerInput,
  options: EndpointPickerOptions,
  hasPlugins: boolean,
): string[] {
  const { extraArgs = [], peerSecret } = options;
  const chosen = new Set(extraArgs.map(flagName));
  const args = [
    ...(input.policy === undefined ? poolArguments(input.pools[0]!) : [`--policy-file=${CONFIG_FOLDER}/${POLICY_KEY}`]),
    ...(picker.scoring._config() === undefined ? [] : [`--config-file=${CONFIG_FOLDER}/${CONFIG_KEY}`]),
    ...peerArguments(input, peerSecret),
    ...(hasPlugins ? [`--plugin-file=${PLUGIN_FOLDER}/${PLUGIN_KEY}`] : []),
    ...(picker.secureServing ? [] : ['--secure-serving=false']),
    `--drain-timeout=${picker.drainSeconds}s`,
    `--v=${picker.logVerbosity}`,
    ...(picker.isLlmd ? llmdArguments(input).filter((argument) => !chosen.has(flagName(argument))) : []),
    ...extraArgs,
  ];
  refuseAll(scope, [...extraArgs.flatMap(ownedProblem), ...parseFlags(args, flagsOf(picker)).problems]);
  return args;
}

function peerArguments({ peerService }: PickerInput, secret: SecretReference | undefined): string[] {
  if (peerService === undefined) return [];
  return [
    `--peers=${peerService}:${PEER_PORT}`,
    ...(secret === undefined ? [] : [`--peer-secret-file=${PEER_SECRET_FOLDER}/${secret.key}`]),
  ];
}

function poolArguments(pool: PoolReference): string[] {
  // without a namespace in the chart, the picker takes the one of its pod from NAMESPACE
  const namespace = pool.namespace === undefined ? [] : [`--pool-namespace=${pool.namespace}`];
  if (!pool.installed) {
    const selector = Object.entries(pool.podLabels).map(([key, value]) => `${key}=${value}`);
    return [...namespace, `--endpoint-selector=${selector.join(',')}`, `--endpoint-target-ports=${pool.ports.join(',')}`];
  }
  return [`--pool-name=${pool.name}`, ...namespace, `--pool-group=${pool.generation.poolGroup}`];
}

/** Where the program's own defaults do not suit a cluster. */
function llmdArguments(input: PickerInput): string[] {
  return [
    ...(input.electLeader ? ['--ha-enable-leader-election'] : []),
    // its default, TokenReview, needs a ClusterRole; the NetworkPolicy says who may read the metrics
    '--metrics-endpoint-auth=false',
    // without OTEL_TRACES_EXPORTER it prints every span to the log
    '--tracing=false',
    '--enable-pprof=false',
    '--zap-encoder=json',
  ];
}

function flagName(argument: string): string {
  return argument.replace(/^--?/, '').replace(/=.*$/s, '');
}

function ownedProblem(argument: string): Omit<Problem, 'where'>[] {
  const name = flagName(argument);
  const owner = OWNED.get(name);
  if (owner === undefined) return [];
  return [
    {
      code: 'AIG454',
      what: `--${name} in extraArgs is set by the construct`,
      value: argument,
      fix: `leave it out and use ${owner}`,
    },
  ];
}
