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
  const lines: string[] = [];
  let file: string | undefined | null = null;
  for (const finding of report.findings) {
    if (finding.file !== file) {
      file = finding.file;
      lines.push(paint('bold', file ?? '(no file)'), '');
    }
    lines.push(...one(finding, report.texts.get(file ?? ''), paint), '');
  }
  return `${lines.join('\n')}${lines.length === 0 ? '' : '\n'}${summary(report, paint)}\n`;
}

type Paint = (style: keyof typeof COLOURS, text: string) => string;

function one(finding: Finding, text: string | undefined, paint: Paint): string[] {
  const { severity, code, line, column, object, constructPath } = finding;
  const place = line === undefined ? '' : `${line}:${column ?? 1} `;
  const about = [object === undefined ? undefined : formatIdentity(object), constructPath].filter((part) => part !== undefined);
  return [
    `  ${place}${paint(severity, severity)} ${paint('bold', code)} ${facts(finding)}`,
    ...(about.length === 0 ? [] : [paint('dim', `    of ${about.join(', made by ')}`)]),
    ...excerpt(text, line, column, paint),
    `    fix: ${finding.fix}`,
  ];
}

function excerpt(text: string | undefined, line: number | undefined, column: number | undefined, paint: Paint): string[] {
  if (text === undefined || line === undefined || column === undefined) return [];
  const source = lineOf(text, line);
  if (source === undefined) return [];
  // A line of a generated file may be longer than any terminal: what is around the place is enough.
  const from = column > MAX_LINE_CHARS - 20 ? column - 40 : 0;
  const shown = source.slice(from, from + MAX_LINE_CHARS).replaceAll('\t', ' ');
  const number = String(line);
  return [
    `    ${paint('dim', `${number} |`)} ${shown}`,
    `    ${paint('dim', `${' '.repeat(number.length)} |`)} ${' '.repeat(Math.max(0, column - 1 - from))}${paint('bold', '^')}`,
  ];
}

function lineOf(text: string, number: number): string | undefined {
  let start = 0;
  for (let line = 1; line < number; line++) {
    start = text.indexOf('\n', start) + 1;
    if (start === 0) return undefined;
  }
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '');
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
