import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flagsHelp, flagsMarkdown } from '../../../src/picker-config/flag-docs';
import { PICKER_FLAGS } from '../../../src/picker-config/flags';

const page = join(__dirname, '../../../docs/picker-flags.md');

test('docs/picker-flags.md is what the table of flags says', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, flagsMarkdown());
  expect(readFileSync(page, 'utf8')).toBe(flagsMarkdown());
});

test('help names every flag', () => {
  for (const { name } of PICKER_FLAGS) expect(flagsHelp()).toContain(`--${name}`);
});
