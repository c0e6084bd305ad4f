import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import type { EndpointPickerConfig } from './endpoint-picker-config';
import { didYouMean } from './nearest-name';
import { OWN_PLUGINS, PLUGIN_CATALOGUE, type PluginKind } from './plugin-catalogue';

/** What a picker can load. */
export interface PluginSupport {
  /** Types that the picker's registry has; its own types, which llm-d lacks, among them. */
  readonly supported: ReadonlySet<string>;
  /** `--allow-experimental-plugins`. */
  readonly allowExperimental: boolean;
}

/** Kinds that a scheduling profile may refer to. */
const PROFILE_KINDS: readonly PluginKind[] = ['filter', 'scorer', 'picker'];

/**
 * Refuses plugin types that the picker lacks, Alpha types without leave, and references to a plugin of the wrong kind: llm-d ignores
 * those in silence, and a configuration that has no effect is worse than one that does not load.
 */
export function checkPlugins(config: EndpointPickerConfig, support: PluginSupport, locate: (path: string) => string): Problem[] {
  const problems: Problem[] = [];
  config.plugins.forEach(({ type }, index) => {
    const problem = typeProblem(type, support);
    if (problem !== undefined) problems.push({ ...problem, where: locate(`plugins[${index}].type`) });
  });

  const typeOf = new Map(config.plugins.map(({ name, type }) => [name, type]));
  const expect = (ref: string | undefined, kinds: readonly PluginKind[], path: string): void => {
    const type = ref === undefined ? undefined : typeOf.get(ref);
    const ofType = type === undefined ? undefined : kindsOf(type);
    if (ofType === undefined || ofType.some((kind) => kinds.includes(kind))) return;
    problems.push({
      code: ConfigCode.MISPLACED_PLUGIN,
      what: `plugin '${ref}' has no effect here`,
      value: `${type}, a ${ofType.join(' and ')}`,
      allowed: kinds.join(', '),
      fix: 'refer to a plugin of that kind, or remove the entry',
      where: locate(path),
    });
  };

  config.schedulingProfiles.forEach((profile, i) => {
    profile.plugins.forEach(({ pluginRef }, j) => {
      expect(pluginRef, PROFILE_KINDS, `schedulingProfiles[${i}].plugins[${j}].pluginRef`);
    });
  });
  config.dataLayer.sources.forEach((source, i) => {
    expect(source.pluginRef, ['source'], `dataLayer.sources[${i}].pluginRef`);
    source.extractors.forEach((name, j) => {
      expect(name, ['extractor'], `dataLayer.sources[${i}].extractors[${j}].pluginRef`);
    });
  });
  expect(config.dataLayer.discovery, ['discovery'], 'dataLayer.discovery.pluginRef');
  expect(config.dataLayer.crossReplicaSyncer, ['syncer'], 'dataLayer.crossReplicaSyncerPluginRef');
  expect(config.flowControl.saturationDetector, ['saturation'], 'flowControl.saturationDetector.pluginRef');
  expect(config.flowControl.usageLimitPolicy, ['usage-limit'], 'flowControl.usageLimitPolicyPluginRef');
  config.flowControl.priorityBands.forEach((band, i) => {
    expect(band.fairnessPolicy, ['fairness'], `flowControl.priorityBands[${i}].fairnessPolicyRef`);
    expect(band.orderingPolicy, ['ordering'], `flowControl.priorityBands[${i}].orderingPolicyRef`);
  });
  config.parsers.forEach((name, i) => {
    expect(name, ['parser'], `requestHandler.parsers[${i}].pluginRef`);
  });
  return problems;
}

/** Undefined for a type that nobody knows, such as one of a user. */
function kindsOf(type: string): readonly PluginKind[] | undefined {
  const own = OWN_PLUGINS.get(type);
  return own === undefined ? PLUGIN_CATALOGUE.get(type)?.kinds : [own];
}

function typeProblem(type: string, { supported, allowExperimental }: PluginSupport): Problem | undefined {
  const known = PLUGIN_CATALOGUE.get(type);
  if (!supported.has(type)) {
    if (known === undefined) {
      return {
        code: ConfigCode.UNKNOWN_PLUGIN,
        what: `there is no plugin type '${type}'`,
        fix: `${didYouMean(type, [...supported, ...PLUGIN_CATALOGUE.keys()])}correct the type`,
      };
    }
    return {
      code: ConfigCode.UNSUPPORTED_PLUGIN,
      what: `llm-d's plugin type '${type}' is not supported by this picker${known.why === undefined ? '' : `: ${known.why}`}`,
      fix: known.instead ?? 'remove it, or use the llm-d picker',
    };
  }
  if (known?.stability !== 'alpha' || allowExperimental) return undefined;
  return {
    code: ConfigCode.MISPLACED_PLUGIN,
    what: `plugin type '${type}' is Alpha`,
    fix: 'start the picker with --allow-experimental-plugins, or remove the plugin',
  };
}
