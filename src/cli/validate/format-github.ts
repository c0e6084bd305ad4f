import { facts, type Report } from './report';

const COMMANDS = { error: 'error', warning: 'warning', hint: 'notice' } as const;

/** Workflow commands of GitHub Actions, which show findings beside the lines of a pull request. */
export function formatGithub({ findings, unreadable }: Report): string {
  const lines = findings.map((finding) => {
    const properties = [
      finding.file === undefined ? undefined : `file=${property(finding.file)}`,
      finding.line === undefined ? undefined : `line=${finding.line}`,
      finding.column === undefined ? undefined : `col=${finding.column}`,
      `title=${property(finding.code)}`,
    ].filter((part) => part !== undefined);
    return `::${COMMANDS[finding.severity]} ${properties.join(',')}::${message(`${facts(finding)}: ${finding.fix}`)}`;
  });
  return [...lines, ...unreadable.map((text) => `::error title=unreadable::${message(text)}`), ''].join('\n');
}

function message(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
