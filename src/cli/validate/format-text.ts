import { type Finding, formatIdentity, type Severity } from '../../validation';
import { count, facts, type Report } from './report';

const COLOURS: Readonly<Record<Severity | 'bold' | 'dim', string>> = {
  error: '\u001b[31m',
  warning: '\u001b[33m',
  hint: '\u001b[36m',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
};
const MAX_LINE_CHARS = 160;

/** For people: grouped by file, with the line that is meant and a caret below it, then a summary. */
export function formatText(report: Report): string {
  const paint = (style: keyof typeof COLOURS, text: string): string =>
    report.colour ? `${COLOURS[style]}${text}\u001b[0m` : text;
  const sources = new Map([...report.texts].map(([name, text]) => [name, new LazyLines(text)]));
  const lines: string[] = [];
  let file: string | undefined | null = null;
  for (const finding of report.findings) {
    if (finding.file !== file) {
      file = finding.file;
      lines.push(paint('bold', file ?? '(no file)'), '');
    }
    lines.push(...one(finding, sources.get(file ?? ''), paint), '');
  }
  return `${lines.join('\n')}${lines.length === 0 ? '' : '\n'}${summary(report, paint)}\n`;
}

/** Lines of a text, taken apart when the first is asked for. */
class LazyLines {
  private lines: readonly string[] | undefined;

  public constructor(private readonly text: string) {}

  /** Counted from 1. */
  public at(line: number | undefined): string | undefined {
    this.lines ??= this.text.split(/\r?\n/);
    return line === undefined ? undefined : this.lines[line - 1];
  }
}

type Paint = (style: keyof typeof COLOURS, text: string) => string;

function one(finding: Finding, source: LazyLines | undefined, paint: Paint): string[] {
  const { severity, code, line, column, object, constructPath } = finding;
  const place = line === undefined ? '' : `${line}:${column ?? 1} `;
  const about = [object === undefined ? undefined : formatIdentity(object), constructPath].filter((part) => part !== undefined);
  return [
    `  ${place}${paint(severity, severity)} ${paint('bold', code)} ${facts(finding)}`,
    ...(about.length === 0 ? [] : [paint('dim', `    of ${about.join(', made by ')}`)]),
    ...excerpt(source?.at(line), line, column, paint),
    `    fix: ${finding.fix}`,
  ];
}

function excerpt(source: string | undefined, line: number | undefined, column: number | undefined, paint: Paint): string[] {
  if (source === undefined || line === undefined || column === undefined) return [];
  // A line of a generated file may be longer than any terminal: what is around the place is enough.
  const from = column > MAX_LINE_CHARS - 20 ? column - 40 : 0;
  const shown = source.slice(from, from + MAX_LINE_CHARS).replaceAll('\t', ' ');
  const number = String(line);
  return [
    `    ${paint('dim', `${number} |`)} ${shown}`,
    `    ${paint('dim', `${' '.repeat(number.length)} |`)} ${' '.repeat(Math.max(0, column - 1 - from))}${paint('bold', '^')}`,
  ];
}

function summary({ findings, objectCount, texts, unreadable }: Report, paint: Paint): string {
  const of = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  const counts = (['error', 'warning', 'hint'] as const)
    .filter((severity) => of(severity) > 0)
    .map((severity) => paint(severity, count(of(severity), severity)));
  const checked = `${count(objectCount, 'object')} in ${count(texts.size, 'file')} checked`;
  const missed = unreadable.length === 0 ? '' : `, ${count(unreadable.length, 'input')} unreadable`;
  return `${checked}${missed}: ${counts.length === 0 ? 'no findings' : counts.join(', ')}`;
}
