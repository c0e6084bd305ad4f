import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Finding } from '../../validation';
import { applyMends } from './mends';
import { unifiedDiff } from './unified-diff';

/** Shows what the mends of the findings would change, and writes it when it is confirmed. */
export async function offerMends(
  findings: readonly Finding[],
  texts: ReadonlyMap<string, string>,
  isConfirmed: boolean,
): Promise<void> {
  const changed = new Map<string, string>();
  for (const [file, text] of texts) {
    const mended = applyMends(
      text,
      findings.filter((finding) => finding.file === file),
    );
    if (mended === text) continue;
    process.stdout.write(`\n${unifiedDiff(file, text, mended)}`);
    if (file !== '<stdin>') changed.set(file, mended);
  }
  if (changed.size === 0) {
    process.stdout.write('\nNothing that could be mended without a decision of yours.\n');
    return;
  }
  if (!isConfirmed && !(await ask(`\nChange ${[...changed.keys()].join(', ')}? [y/N] `))) {
    process.stdout.write('Nothing was changed; --yes changes without asking.\n');
    return;
  }
  for (const [file, text] of changed) writeFileSync(file, text);
  process.stdout.write(`Changed ${[...changed.keys()].join(', ')}.\n`);
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(await terminal.question(question));
  } finally {
    terminal.close();
  }
}
