import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatFinding, readManifests, type ValidationOptions, validateManifests } from '../../../../src/validation';
import { RULES } from '../../../../src/validation/rules';

const PAGES = path.join(__dirname, '../../../../docs/rules');
const codes = readdirSync(PAGES)
  .filter((file) => /^AIG\d{3}\.md$/.test(file))
  .map((file) => file.slice(0, -3))
  .sort();

function part(code: string, title: string): string | undefined {
  const text = readFileSync(path.join(PAGES, `${code}.md`), 'utf8');
  return new RegExp(`^## ${title}\\n\\n\`\`\`yaml\\n(.*?)\`\`\`$`, 'ms').exec(text)?.[1];
}

function check(code: string, title: string): string[] {
  const old = part(code, 'In the cluster');
  const options: ValidationOptions = old === undefined ? {} : { old: readManifests(old).documents };
  const { documents, findings } = readManifests(part(code, title)!, `${code}.yaml`);
  return [...findings, ...validateManifests(documents, options)].map(formatFinding);
}

describe('the page of a rule', () => {
  it('exists for every rule', () => {
    expect(RULES.map(({ code }) => code).filter((code) => !codes.includes(code))).toEqual([]);
  });

  it.each(
    RULES.map((rule) => [rule.code, rule] as const),
  )('%s has the title, the name and the severity of its rule', (code, rule) => {
    const text = readFileSync(path.join(PAGES, `${code}.md`), 'utf8');
    expect(text).toContain(`# ${code}: ${rule.title}\n\nSeverity: ${rule.severity} · rule \`${rule.name}\`\n`);
    expect(text).toMatch(/^Source: .+$/m);
  });

  it.each(codes)('%s has wrong YAML that gives exactly this finding', (code) => {
    const told = check(code, 'Wrong').map((line) => /AIG\d{3}/.exec(line)![0]);
    expect([check(code, 'Wrong'), [...new Set(told)]]).toEqual([expect.anything(), [code]]);
  });

  it.each(codes)('%s has right YAML without any finding', (code) => {
    expect(check(code, 'Right')).toEqual([]);
  });
});

describe('the index of the rules', () => {
  // UPDATE_GOLDEN=1 writes it anew.
  it('lists every page', () => {
    const file = path.join(PAGES, 'README.md');
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const rows = codes.map((code) => {
      const [, title, severity, name] = /^# AIG\d{3}: (.*)\n\nSeverity: (\w+)(?: · rule `(.*)`)?\n/.exec(
        readFileSync(path.join(PAGES, `${code}.md`), 'utf8'),
      )!;
      return `| [${code}](${code}.md) | ${title} | ${severity} | ${name === undefined ? '' : `\`${name}\``} |`;
    });
    const table = `| Code | What holds | Severity | Rule |\n|---|---|---|---|\n${rows.join('\n')}\n`;
    const expected = before.replace(/\| Code \|[\s\S]*$/, () => table);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, expected);
    expect(before).toBe(expected);
    expect(before).toContain(table);
  });
});
