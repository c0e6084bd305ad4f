import { type FlagSpec, PICKER_FLAGS } from './flags';

/** The page docs/picker-flags.md, made from the table of flags. */
export function flagsMarkdown(specs: readonly FlagSpec[] = PICKER_FLAGS): string {
  const section = (title: string, origin: FlagSpec['origin']): string[] => [
    `## ${title}`,
    '',
    '| Flag | Default | Status | What it does |',
    '|---|---|---|---|',
    ...specs.filter((spec) => spec.origin === origin).map(row),
    '',
  ];
  return [
    '# Flags of the endpoint picker',
    '',
    'Generated from `src/picker-config/flags.ts`; `npm run docs` writes it again.',
    '',
    'The flags of llm-d’s picker v0.10 are read as it reads them, so that a deployment can change its image alone. *Honoured* flags work.',
    '*Accepted* flags take their values without an effect, said in one log line. *Refused* flags, and values shown as refused, stop the start:',
    'what was asked for is never left out in silence.',
    '',
    '`--flag=value`, `--flag value`, the same with one dash, and `-v1` are read; a boolean takes its value only after `=`.',
    '',
    ...section('Flags of llm-d', 'llm-d'),
    ...section('Flags of this picker', 'ours'),
  ].join('\n');
}

/** The text of `--help`. */
export function flagsHelp(specs: readonly FlagSpec[] = PICKER_FLAGS): string {
  const rows = specs.map((spec) => {
    const name = `  --${spec.name}${spec.type === 'boolean' ? '' : ` ${spec.type}`}`;
    const byDefault = spec.default === undefined ? '' : ` (default ${spec.default === '' ? "''" : spec.default})`;
    return `${name.padEnd(48)} ${spec.summary}${byDefault}${spec.status === 'honoured' ? '' : ` [${status(spec)}]`}`;
  });
  return `Usage: node main.js [flags]\n\n${rows.join('\n')}\n`;
}

function row(spec: FlagSpec): string {
  const byDefault = spec.default === undefined ? '' : `\`${spec.default}\``;
  const choices = spec.choices === undefined ? '' : ` One of ${spec.choices.map((choice) => `\`${choice}\``).join(', ')}.`;
  const why = spec.why === undefined ? '' : ` ${sentence(spec.why)}`;
  return `| \`--${spec.name}\` | ${byDefault} | ${status(spec)} | ${sentence(spec.summary)}${choices}${why} |`;
}

function status({ status, refusedValues }: FlagSpec): string {
  return refusedValues === undefined ? status : `${status}; ${refusedValues.map((value) => `\`${value}\``).join(', ')} refused`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
