import { createHash } from 'node:crypto';
import type { Construct } from 'constructs';
import { emit } from '../../internal/emit';
import { refuse } from '../../internal/errors';
import type { Volume } from '../../kube/pod-template';
import type { PickerInput } from '../input';
import type { EndpointPickerOptions } from '../options';
import type { ResolvedPicker } from '../resolved-picker';
import { bundlePlugins } from './bundle-plugins';

/** Where the ConfigMap is mounted. */
export const PLUGIN_FOLDER = '/etc/picker-plugins';
/** Its key. */
export const PLUGIN_KEY = 'plugins.cjs';

/** The plugins of a picker, as it finds them in its pod. */
export interface EmittedPlugins {
  /** Types that its configuration may name. */
  readonly types: readonly string[];
  readonly volume: Volume;
}

/**
 * Emits the ConfigMap with the user's plugins; undefined when there are none. Like those of the program it is immutable and carries a
 * digest in its name, so that changed plugins replace the pods.
 *
 * @throws AIG456, AIG459
 */
export function emitPlugins(
  scope: Construct,
  picker: ResolvedPicker,
  input: PickerInput,
  { plugins, labels, annotations }: EndpointPickerOptions,
): EmittedPlugins | undefined {
  if (plugins === undefined || plugins.length === 0) return undefined;
  if (picker.isLlmd) {
    refuse(scope, {
      code: 'AIG456',
      what: 'the llm-d picker is a program in Go, which plugins in TypeScript cannot be added to',
      value: plugins,
      fix: 'use the picker of this project, or leave plugins out',
    });
  }
  const bundled = bundlePlugins(scope, plugins);
  const digest = createHash('sha256').update(bundled.text).digest('hex').slice(0, 8);
  const name = `${input.name}-plugins-${digest}`;
  emit(scope, 'PickerPlugins', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: input.namespace, labels, annotations },
    why: 'the plugins that you wrote for the picker',
    body: { immutable: true, data: { [PLUGIN_KEY]: bundled.text } },
  });
  return { types: bundled.plugins.map(({ type }) => type), volume: { name: 'picker-plugins', configMap: { name } } };
}
