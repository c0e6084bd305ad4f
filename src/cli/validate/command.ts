import { type Finding, type Severity, validateManifests } from '../../validation';
import { offerMends } from './fix';
import { FORMATTERS } from './formats';
import { readInputs } from './inputs';
import { parseOptions, USAGE, UsageError, type ValidateOptions } from './options';
import { pageOf } from './pages';

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, hint: 2 };

/** `cdk8s-ai-gateway validate`. Resolves to the exit code. */
export async function validateCommand(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) process.stdout.write(USAGE);
    else if (options.explain !== undefined) explain(options.explain);
    else return await validate(options);
    return 0;
  } catch (error) {
    // A version or a rule that does not exist is as much a matter of usage as an unknown flag.
    if (!(error instanceof UsageError) && !(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\nSee cdk8s-ai-gateway validate --help.\n`);
    return 2;
  }
}

function explain(code: string): void {
  const page = pageOf(code.toUpperCase());
  if (page === undefined) throw new UsageError(`--explain ${code}: there is no such code; docs/rules/README.md lists all`);
  process.stdout.write(page);
}

async function validate(options: ValidateOptions): Promise<number> {
  const names = options.inputs.length === 0 && !process.stdin.isTTY ? ['-'] : options.inputs;
  if (names.length === 0) throw new UsageError('nothing to check: name files or folders, or - for standard input');
  const inputs = readInputs(names);
  const old = options.old.length === 0 ? undefined : readInputs(options.old);
  const reading = [...inputs.findings, ...(old?.findings ?? [])];
  const findings = merge(
    reading,
    validateManifests(inputs.documents, { ...options, ...(old === undefined ? {} : { old: old.documents }) }),
  );
  const unreadable = [...inputs.unreadable, ...(old?.unreadable ?? [])];
  const colour = options.format === 'text' && wantsColour();
  process.stdout.write(
    FORMATTERS[options.format]({ findings, texts: inputs.texts, objectCount: inputs.documents.length, unreadable, colour }),
  );
  for (const text of unreadable) process.stderr.write(`unreadable: ${text}\n`);
  if (options.fix) await offerMends(findings, inputs.texts, options.yes);
  // A document that is no YAML could not be checked, which is more than a finding.
  if (unreadable.length > 0 || reading.length > 0) return 2;
  return findings.some(({ severity }) => RANK[severity] <= RANK[options.failOn]) ? 1 : 0;
}

/** By file, those of reading first. */
function merge(reading: readonly Finding[], checking: readonly Finding[]): Finding[] {
  const files = new Map<string | undefined, Finding[]>();
  for (const finding of [...reading, ...checking]) {
    const own = files.get(finding.file);
    if (own === undefined) files.set(finding.file, [finding]);
    else own.push(finding);
  }
  return [...files.values()].flat();
}

function wantsColour(): boolean {
  // https://no-color.org: set and not empty.
  if ((process.env['NO_COLOR'] ?? '') !== '') return false;
  if ((process.env['FORCE_COLOR'] ?? '') !== '') return process.env['FORCE_COLOR'] !== '0';
  return process.stdout.isTTY === true;
}
