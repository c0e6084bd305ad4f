import { readFileSync } from 'node:fs';
import path from 'node:path';

// The bundle lies in dist/bin, this file in src/cli/validate.
const FOLDERS = ['../../docs/rules', '../../../docs/rules'].map((folder) => path.join(__dirname, folder));

/** The page of a code; undefined when there is none. */
export function pageOf(code: string): string | undefined {
  if (!/^AIG\d{3}$/.test(code)) return undefined;
  for (const folder of FOLDERS) {
    try {
      return readFileSync(path.join(folder, `${code}.md`), 'utf8');
    } catch {
      // the other place
    }
  }
  return undefined;
}

export function titleOf(code: string): string | undefined {
  return /^# AIG\d{3}: (.*)$/m.exec(pageOf(code) ?? '')?.[1];
}
