import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { IMPLEMENTATIONS, type Implementation, type RuleSelection, type Severity, type Suppression } from '../../validation';
import { FORMATS, type Format } from './formats';

/** Something in the command line that cannot be. */
export class UsageError extends Error {}

export interface ValidateOptions {
  readonly inputs: readonly string[];
  readonly format: Format;
  readonly failOn: Severity;
  readonly rules: RuleSelection;
  readonly implementation?: Implementation;
  readonly kubernetesVersion?: string;
  readonly gatewayApiChannel?: 'standard' | 'experimental';
  readonly complete: boolean;
  readonly old: readonly string[];
  readonly suppressions: readonly Suppression[];
  readonly explain?: string;
  readonly fix: boolean;
  readonly yes: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: cdk8s-ai-gateway validate [options] [file|folder|-]...

Checks YAML and JSON manifests offline. Folders are read with all they hold, - is standard input (and the default when it is no terminal).

  --rules <what>                all (default); admission: what an API server would say of each document alone;
                                or codes and names of rules, separated by commas
  --implementation <name>       ${IMPLEMENTATIONS.join(', ')}
                                (default: detected for each Gateway)
  --kubernetes-version <x.y>    schemas of this version (default: the newest known)
  --gateway-api-channel <name>  standard (default) or experimental
  --complete                    the input is everything there is: a reference to anything else is an error
  --old <file|folder>           the objects as they are in the cluster; finds changes that are refused
  --config <file>               suppressions with reasons
  --format <name>               ${FORMATS.join(', ')}
  --fail-on <severity>          error (default), warning or hint
  --fix                         shows safe mends as a diff, and makes them when confirmed; --yes confirms
  --explain <code>              prints the page of a rule
  -h, --help

Exit code: 0 clean, 1 findings at or above --fail-on, 2 wrong usage or unreadable input.
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ValidateOptions {
  const { values, positionals } = parsed(args);
  const rules = values.rules ?? 'all';
  return {
    inputs: positionals,
    format: oneOf('--format', values.format ?? 'text', FORMATS),
    failOn: oneOf('--fail-on', values['fail-on'] ?? 'error', ['error', 'warning', 'hint'] as const),
    rules: rules === 'all' || rules === 'admission' ? rules : rules.split(',').map((name) => name.trim()),
    ...(values.implementation === undefined
      ? {}
      : { implementation: oneOf('--implementation', values.implementation, IMPLEMENTATIONS) }),
    ...(values['kubernetes-version'] === undefined ? {} : { kubernetesVersion: values['kubernetes-version'] }),
    ...(values['gateway-api-channel'] === undefined
      ? {}
      : {
          gatewayApiChannel: oneOf('--gateway-api-channel', values['gateway-api-channel'], ['standard', 'experimental'] as const),
        }),
    complete: values.complete ?? false,
    old: values.old ?? [],
    suppressions: values.config === undefined ? [] : readConfig(values.config),
    ...(values.explain === undefined ? {} : { explain: values.explain }),
    fix: values.fix ?? false,
    yes: values.yes ?? false,
    help: values.help ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rules: { type: 'string' },
        implementation: { type: 'string' },
        'kubernetes-version': { type: 'string' },
        'gateway-api-channel': { type: 'string' },
        complete: { type: 'boolean' },
        old: { type: 'string', multiple: true },
        config: { type: 'string' },
        format: { type: 'string' },
        'fail-on': { type: 'string' },
        fix: { type: 'boolean' },
        yes: { type: 'boolean' },
        explain: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined) throw new UsageError(`${flag} ${value}: allowed are ${allowed.join(', ')}`);
  return found;
}

/** `suppress: [{code, reason, object?}]`, and nothing else. */
function readConfig(file: string): Suppression[] {
  let config: unknown;
  try {
    config = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--config ${file}: ${(error as Error).message.split('\n')[0]}`);
  }
  const entries = (config as { suppress?: unknown } | null)?.suppress;
  const unknown = Object.keys(config ?? {}).filter((key) => key !== 'suppress');
  if (!Array.isArray(entries) || unknown.length > 0) {
    throw new UsageError(`--config ${file}: it has one key, suppress, with a list of {code, reason, object}`);
  }
  return entries.map((entry: unknown, index): Suppression => {
    const { code, reason, object, ...others } = (entry ?? {}) as Record<string, unknown>;
    const isWell =
      typeof code === 'string' &&
      /^AIG\d{3}$/.test(code) &&
      typeof reason === 'string' &&
      reason.trim() !== '' &&
      (object === undefined || typeof object === 'string') &&
      Object.keys(others).length === 0;
    if (!isWell)
      throw new UsageError(
        `--config ${file}: suppress[${index}] needs a code such as AIG201 and a reason; object is Kind, Kind/name or Kind/namespace/name`,
      );
    return { code, reason, ...(object === undefined ? {} : { object: object as string }) };
  });
}
