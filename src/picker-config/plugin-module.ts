import type { Problem } from '../shared/problem';
import { OWN_PLUGINS, PLUGIN_CATALOGUE } from './plugin-catalogue';
import { PLUGIN_CONTRACT } from './plugin-contract';

/** What `defineScorer` makes, as far as those must know who only look a plugin up. */
export interface PluginDefinition {
  readonly contract: number;
  readonly kind: 'scorer';
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it takes and gives is for the scheduler to know
  readonly create: (parameters: any) => unknown;
}

/** What is wrong with a file of plugins; the caller knows the place and the code. */
export type ModuleFault = Pick<Problem, 'what' | 'value' | 'allowed' | 'fix'>;

/** The form of a plugin's type, as llm-d's have it. */
const TYPE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The plugins among a module's exports and in lists that it exports, or everything that is wrong with them. Exports of another kind are none of our business. */
export function pluginsIn(exports: unknown): {
  readonly plugins: readonly PluginDefinition[];
  readonly faults: readonly ModuleFault[];
} {
  const values = typeof exports === 'object' && exports !== null ? Object.values(exports).flat() : [];
  const plugins = values.filter(isPlugin);
  const faults = plugins.flatMap((plugin, index) => faultsOf(plugin, plugins.slice(0, index)));
  if (plugins.length === 0)
    faults.push({
      what: 'the file exports no plugin',
      fix: 'write `export const myScorer = defineScorer({ … })`',
    });
  return { plugins: faults.length === 0 ? plugins : [], faults };
}

function isPlugin(value: unknown): value is PluginDefinition {
  const { contract, kind, type } = (typeof value === 'object' && value !== null ? value : {}) as Partial<PluginDefinition>;
  return typeof contract === 'number' && typeof kind === 'string' && typeof type === 'string';
}

function faultsOf({ contract, kind, type, create }: PluginDefinition, before: readonly PluginDefinition[]): ModuleFault[] {
  if (contract !== PLUGIN_CONTRACT || kind !== 'scorer') {
    return [
      {
        what: `plugin '${type}' was made for another version of the picker`,
        value: `${kind}, contract ${contract}`,
        allowed: `scorer, contract ${PLUGIN_CONTRACT}`,
        fix: 'synthesize with the version of this package that the picker is of',
      },
    ];
  }
  const faults: ModuleFault[] = [];
  if (!TYPE.test(type)) {
    faults.push({
      what: 'a plugin has a type that cannot be one',
      value: type,
      allowed: 'lower-case letters, digits and dashes, at most 63',
      fix: "name it for example 'my-scorer'",
    });
  } else if (PLUGIN_CATALOGUE.has(type) || OWN_PLUGINS.has(type)) {
    faults.push({ what: 'a plugin has the type of one that is there already', value: type, fix: 'choose another type' });
  } else if (before.some((other) => other.type === type)) {
    faults.push({ what: 'two plugins have the same type', value: type, fix: 'rename one of them' });
  }
  if (typeof create !== 'function')
    faults.push({ what: `plugin '${type}' has no function 'create'`, fix: 'make it with defineScorer' });
  return faults;
}
