import { formatIdentity } from '../../validation';
import { facts, type Report } from './report';

/** One test case for each finding, in suites by file, as CI servers read it. Hints pass. */
export function formatJunit({ findings, texts, unreadable }: Report): string {
  const files = [...new Set([...texts.keys(), ...findings.map(({ file }) => file ?? '')])];
  const suites = files.map((file) => {
    const own = findings.filter((finding) => (finding.file ?? '') === file);
    const failing = own.filter(({ severity }) => severity !== 'hint').length;
    const cases = own.map((finding) => {
      const place = finding.line === undefined ? '' : `:${finding.line}:${finding.column ?? 1}`;
      const name = `${finding.code} ${finding.object === undefined ? '' : `${formatIdentity(finding.object)} `}${finding.field ?? ''}`;
      const text = escaped(`${facts(finding)}: ${finding.fix}\n${file}${place}`);
      const tag = finding.severity === 'hint' ? 'system-out' : 'failure';
      const attributes = tag === 'failure' ? ` message="${escaped(finding.what)}" type="${finding.severity}"` : '';
      return `    <testcase name="${escaped(name.trim())}" classname="${escaped(file)}">\n      <${tag}${attributes}>${text}</${tag}>\n    </testcase>`;
    });
    if (cases.length === 0) cases.push(`    <testcase name="no findings" classname="${escaped(file)}"/>`);
    return `  <testsuite name="${escaped(file)}" tests="${cases.length}" failures="${failing}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  const errors = unreadable.map(
    (text) =>
      `  <testsuite name="unreadable" tests="1" errors="1">\n    <testcase name="${escaped(text)}"><error/></testcase>\n  </testsuite>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${[...suites, ...errors].join('\n')}\n</testsuites>\n`;
}

function escaped(text: string): string {
  return (
    text
      // XML 1.0 has no form for control characters.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
