import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { type FlagSpec, type FlagType, PICKER_FLAGS } from './flags';
import { didYouMean } from './nearest-name';
import { parseDurationMs, parseQuantity } from './units';

/** Value of a flag in its type: durations in milliseconds, sizes in bytes. */
export type FlagValue = string | number | boolean | readonly number[] | readonly string[];

export interface ParsedFlags {
  readonly values: FlagValues;
  readonly problems: readonly Problem[];
  /** One line for every flag that was given and has no effect. */
  readonly notices: readonly string[];
}

/** Values of all flags, defaults included. Reading a flag as another type than it has is a programming error and throws. */
export class FlagValues {
  public constructor(private readonly values: ReadonlyMap<string, FlagValue>) {}

  public text(name: string): string | undefined {
    return this.read(name, 'string');
  }

  /** A number with a default: integers, milliseconds of a duration, bytes of a size. */
  public number(name: string): number {
    const value = this.read<number>(name, 'number');
    if (value === undefined) throw new Error(`flag ${name} has no default`);
    return value;
  }

  /** A number that may be unset. */
  public optionalNumber(name: string): number | undefined {
    return this.read<number>(name, 'number');
  }

  public boolean(name: string): boolean {
    return this.read<boolean>(name, 'boolean') ?? false;
  }

  public list(name: string): readonly string[] {
    return this.read<readonly string[]>(name, 'object') ?? [];
  }

  public ports(name: string): readonly number[] {
    return this.read<readonly number[]>(name, 'object') ?? [];
  }

  private read<T extends FlagValue>(name: string, type: string): T | undefined {
    const value = this.values.get(name);
    if (value !== undefined && typeof value !== type) throw new Error(`flag ${name} is not a ${type}`);
    return value as T | undefined;
  }
}

/** A label and its value (Kubernetes API conventions, "Labels and Selectors"): the key may have a DNS name as its prefix. */
const LABEL =
  /^(?=[^=]{1,317}=)(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?=(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

const BOOLEAN_TEXT: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/**
 * Reads a command line: `--name=value`, `--name value`, the same with one dash, `-v=1`, `-v1`; `--name` alone for a boolean. A flag that
 * is given twice has its last value. A value that stands alone is refused: Go would take `--secure-serving false` for true.
 */
export function parseFlags(argv: readonly string[], specs: readonly FlagSpec[] = PICKER_FLAGS): ParsedFlags {
  const problems: Problem[] = [];
  const notices: string[] = [];
  const values = new Map<string, FlagValue>();
  for (const spec of specs) if (spec.default !== undefined) values.set(spec.name, readValue(spec, spec.default)!);

  const names = specs.map(({ name }) => name);
  let lastBoolean: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    const match = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      problems.push(strayArgument(argument, lastBoolean));
      lastBoolean = undefined;
      continue;
    }
    const { spec, attached } = findFlag(match[1]!, match[2], specs);
    lastBoolean = undefined;
    if (spec === undefined) {
      const name = match[1]!;
      problems.push({
        code: ConfigCode.UNKNOWN_FLAG,
        what: `unknown flag '--${name}'`,
        fix: `${didYouMean(name, names)}--help lists all flags`,
      });
      // its value would otherwise be reported as a second fault
      if (match[2] === undefined && argv[i + 1]?.startsWith('-') === false) i++;
      continue;
    }
    let text = attached;
    if (text === undefined && spec.type === 'boolean') {
      text = 'true';
      lastBoolean = spec.name;
    } else if (text === undefined) {
      text = argv[++i];
    }
    if (text === undefined) {
      problems.push({
        code: ConfigCode.BAD_FLAG_VALUE,
        what: `flag '--${spec.name}' needs a value`,
        fix: `write --${spec.name}=…`,
      });
      continue;
    }
    takeValue(spec, text, values, problems, notices);
  }
  return { values: new FlagValues(values), problems, notices };
}

function takeValue(spec: FlagSpec, text: string, values: Map<string, FlagValue>, problems: Problem[], notices: string[]): void {
  // templates write --flag= for "not set"
  if (text === '' && spec.default === undefined) {
    values.delete(spec.name);
    return;
  }
  const value = readValue(spec, text);
  if (value === undefined) {
    const allowed = spec.choices?.join(', ') ?? wordsFor(spec);
    problems.push({
      code: ConfigCode.BAD_FLAG_VALUE,
      what: `flag '--${spec.name}' has a wrong value`,
      value: text,
      allowed,
      fix: 'correct the value',
    });
    return;
  }
  if (spec.status === 'refused' || spec.refusedValues?.includes(String(value)) === true) {
    problems.push({
      code: ConfigCode.REFUSED_FLAG,
      what: `flag '--${spec.name}' is not supported`,
      value: text,
      fix: spec.why ?? 'remove it',
    });
    return;
  }
  // --tracing=false asks for what happens anyway; there is nothing to say about it
  if (spec.status === 'accepted' && spec.refusedValues === undefined) notices.push(`--${spec.name} has no effect: ${spec.why}`);
  values.set(spec.name, value);
}

function findFlag(
  name: string,
  value: string | undefined,
  specs: readonly FlagSpec[],
): { spec: FlagSpec | undefined; attached: string | undefined } {
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec !== undefined) return { spec, attached: value };
  // -v1
  const short = specs.find(
    (candidate) => candidate.short !== undefined && name.startsWith(candidate.short) && /^\d+$/.test(name.slice(1)),
  );
  return { spec: short, attached: short === undefined ? undefined : name.slice(1) };
}

function strayArgument(argument: string, lastBoolean: string | undefined): Problem {
  const fix = lastBoolean === undefined ? 'write --flag=value' : `write --${lastBoolean}=${argument}`;
  return { code: ConfigCode.UNKNOWN_FLAG, what: 'an argument is not a flag', value: argument, fix };
}

function readValue(spec: FlagSpec, text: string): FlagValue | undefined {
  switch (spec.type) {
    case 'text':
      return text;
    case 'boolean':
      return BOOLEAN_TEXT.get(text);
    case 'integer':
      return wholeNumber(text, spec.min, spec.max);
    case 'duration':
      return parseDurationMs(text);
    case 'size': {
      const bytes = parseQuantity(text);
      return bytes === 0 ? undefined : bytes;
    }
    case 'choice':
      return spec.choices!.includes(text) ? text : undefined;
    case 'list':
      return text.split(',').map((entry) => entry.trim());
    case 'labels':
      return text.split(',').every((pair) => LABEL.test(pair)) ? text : undefined;
    case 'ports': {
      const ports = text.split(',').map((entry) => wholeNumber(entry, 1, 65_535));
      return ports.every((port) => port !== undefined) ? (ports as number[]) : undefined;
    }
  }
}

function wholeNumber(text: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

const WORDS: Readonly<Record<FlagType, string>> = {
  text: 'a text',
  boolean: 'true, false',
  integer: 'a whole number',
  duration: "a duration such as '30s' or '50ms'",
  size: "a size above 0 such as '10MiB' or '16Mi'",
  choice: '',
  list: 'a list with commas',
  labels: "labels and their values with commas, such as 'app=vllm,tier=chat'",
  ports: 'port numbers with commas',
};

function wordsFor(spec: FlagSpec): string {
  return spec.max === undefined ? WORDS[spec.type] : `${spec.min ?? 0} to ${spec.max}`;
}
