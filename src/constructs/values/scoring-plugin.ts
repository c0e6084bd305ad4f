import { PLUGIN_CATALOGUE, type PluginKind } from '../../picker-config/plugin-catalogue';
import { refuse } from '../internal/errors';

/** Parameters of a plugin as its configuration file takes them. */
export interface PluginParameters {
  readonly [name: string]: unknown;
}

/** One plugin of a scheduling profile, as it stands in an EndpointPickerConfig. */
export interface PluginEntry {
  readonly type: string;
  readonly parameters?: PluginParameters;
  /** Scorers only. */
  readonly weight?: number;
  /** Type of a producer that has to be named beside it, because no picker adds it by itself. */
  readonly producer?: string;
}

/**
 * A plugin type that the picker itself has to know: any well-formed one, unless llm-d's catalogue says that it is of another kind.
 *
 * @throws AIG450
 */
export function checkedType(factory: string, type: string, kind: PluginKind): string {
  if (typeof type !== 'string' || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(type)) {
    refuse(undefined, {
      code: 'AIG450',
      what: `${factory} got a plugin type that no picker can have`,
      value: type,
      allowed: 'lower-case letters, digits and dashes',
      fix: "write the type as the picker registers it, for example 'queue-scorer'",
    });
  }
  const known = PLUGIN_CATALOGUE.get(type);
  if (known !== undefined && !known.kinds.includes(kind)) {
    refuse(undefined, {
      code: 'AIG450',
      what: `${factory} got a plugin of another kind`,
      value: `${type}, a ${known.kinds.join(' and ')}`,
      allowed: `a ${kind}`,
      fix: 'use the factory of that kind: Filter, Scorer or EndpointChooser',
    });
  }
  return type;
}

/** What a numeric parameter may be. */
export interface NumberRule {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** True when `min` itself is too small. */
  readonly exclusiveMin?: boolean;
}

/**
 * The parameters that were given, each checked by its rule; undefined when none was.
 *
 * @throws AIG451 with the first one out of range
 */
export function checkedNumbers(
  factory: string,
  given: { readonly [name: string]: number | undefined },
  rules: { readonly [name: string]: NumberRule },
): PluginParameters {
  const parameters: { [name: string]: number } = {};
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name];
    if (value === undefined) continue;
    const { min, max = Number.MAX_SAFE_INTEGER, integer = false, exclusiveMin = false } = rule;
    const fits = Number.isFinite(value) && (exclusiveMin ? value > min : value >= min) && value <= max;
    if (!fits || (integer && !Number.isInteger(value))) {
      const least = exclusiveMin ? `more than ${min}` : `${min}`;
      refuse(undefined, {
        code: 'AIG451',
        what: `${name} of ${factory} is out of range`,
        value: String(value),
        allowed: `${integer ? 'a whole number, ' : ''}${rule.max === undefined ? `${least}${exclusiveMin ? '' : ' or more'}` : `${least} to ${max}`}`,
        fix: 'leave it out to have the default',
      });
    }
    parameters[name] = value;
  }
  return parameters;
}

/** Parameters without those that were not given, or undefined when none is left. */
export function givenParameters(parameters: PluginParameters): PluginParameters | undefined {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}
