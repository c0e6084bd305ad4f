import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { checkPlugins } from '../../picker-config/check-plugins';
import { ConfigCode } from '../../picker-config/codes';
import { type EndpointPickerConfig, formatEndpointPickerConfig } from '../../picker-config/endpoint-picker-config';
import { formatPickerPolicy } from '../../picker-config/picker-policy-format';
import { parsePickerPolicy } from '../../picker-config/picker-policy-parser';
import { OWN_PLUGINS, PLUGIN_CATALOGUE } from '../../picker-config/plugin-catalogue';
import { emit, warn } from '../internal/emit';
import { refuse, refuseAll } from '../internal/errors';
import { configDigest } from '../kube/config-digest';
import { CONFIG_KEY, POLICY_KEY } from './arguments';
import type { PickerInput } from './input';
import type { EndpointPickerOptions } from './options';
import type { ResolvedPicker } from './resolved-picker';

/** Annotation of the pods that changes when a file of their configuration does, so that they are replaced. */
export const CONFIG_ANNOTATION = 'cdk8s-ai-gateway.dev/picker-config-sha256';

/** `kubectl apply` repeats an object in an annotation of at most 262,144 bytes. */
const LARGEST_BYTES = 180_000;

/** Emits the ConfigMap with the picker's files; undefined when it needs none. @throws AIG507 to AIG509 for plugins that it lacks */
export function emitConfiguration(
  scope: Construct,
  picker: ResolvedPicker,
  input: PickerInput,
  options: EndpointPickerOptions,
  pluginTypes: readonly string[],
): ApiObject | undefined {
  const config = picker.scoring._config();
  if (config !== undefined) checkConfig(scope, picker, config, options.extraArgs ?? [], pluginTypes);
  if (config === undefined && input.policy === undefined) return undefined;
  return emit(scope, 'PickerConfig', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${input.name}-config`,
      namespace: input.namespace,
      labels: options.labels,
      annotations: options.annotations,
    },
    why: 'the files that the picker is configured with',
    fields: ['data'],
    body: () => ({
      data: {
        ...(config === undefined ? {} : { [CONFIG_KEY]: formatEndpointPickerConfig(config) }),
        ...(input.policy === undefined ? {} : { [POLICY_KEY]: policyText(scope, input.policy) }),
      },
    }),
  });
}

/** The annotation for `configMap`. */
export function configurationAnnotation(configMap: ApiObject | undefined): { [key: string]: string } {
  return configMap === undefined ? {} : { [CONFIG_ANNOTATION]: configDigest(configMap) };
}

function checkConfig(
  scope: Construct,
  picker: ResolvedPicker,
  config: EndpointPickerConfig,
  extraArgs: readonly string[],
  pluginTypes: readonly string[],
): void {
  const supported = new Set(pluginTypes);
  // another build may have more built in; the program of this package has what is known here
  const isOtherBuild = picker.isLlmd || picker.delivery.bundleFile !== undefined;
  for (const plugin of PLUGIN_CATALOGUE.values()) {
    if (picker.isLlmd || plugin.instead === undefined) supported.add(plugin.type);
  }
  for (const { type } of config.plugins) {
    if (PLUGIN_CATALOGUE.has(type) || supported.has(type) || (picker.isLlmd && OWN_PLUGINS.has(type))) continue;
    if (OWN_PLUGINS.has(type) || isOtherBuild) supported.add(type);
    if (OWN_PLUGINS.has(type) || !isOtherBuild) continue;
    warn(scope, `the plugin type '${type}' is not one that this library knows; the picker must have it built in`);
  }
  const allowExperimental =
    extraArgs.includes('--allow-experimental-plugins') || extraArgs.includes('--allow-experimental-plugins=true');
  const problems = checkPlugins(config, { supported, allowExperimental }, (path) => path);
  refuseAll(
    scope,
    problems.map((problem) => ({
      ...problem,
      what: `scoring: ${problem.what}`,
      fix:
        problem.code === ConfigCode.UNKNOWN_PLUGIN ? `${problem.fix}, or name the file that defines it in plugins` : problem.fix,
    })),
  );
}

function policyText(scope: Construct, policy: NonNullable<PickerInput['policy']>): string {
  const text = formatPickerPolicy(policy());
  refuseAll(scope, parsePickerPolicy(text, POLICY_KEY).problems);
  if (Buffer.byteLength(text) > LARGEST_BYTES) {
    refuse(scope, {
      code: 'AIG455',
      what: 'the policy of the picker is too large for a ConfigMap that kubectl can apply',
      value: `${Buffer.byteLength(text)} bytes`,
      allowed: `${LARGEST_BYTES} bytes`,
      fix: 'spread the models over several gateways',
    });
  }
  return text;
}
