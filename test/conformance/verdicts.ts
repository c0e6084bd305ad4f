import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Finding, validateManifests } from '../../src/validation';
import type { Verdict } from './apiserver-client';
import type { Mutation } from './mutations';

/**
 * What a server says of the documents of one subject, a character each: `+` accepted, `-` refused, `~` refused for something that its code
 * asks of a built-in kind and we do not look at, `s` accepted where we are stricter on purpose.
 */
export type Verdicts = string;

/** What was recorded, by the name of the subject. */
export type Recorded = Readonly<Record<string, { readonly hash: string; readonly verdicts: Verdicts }>>;

const FOLDER = path.join(__dirname, '..', 'fixtures', 'verdicts');

export function readVerdicts(server: string): Recorded {
  return JSON.parse(readFileSync(path.join(FOLDER, `${server}.json`), 'utf8')) as Recorded;
}

/** Keeps what was said before of subjects about which nothing was said now, and nothing of those that are gone. */
export function writeVerdicts(server: string, subjects: readonly { readonly name: string }[], said: Recorded): void {
  const all = { ...readVerdicts(server), ...said };
  const kept = subjects.flatMap(({ name }) => (all[name] === undefined ? [] : [[name, all[name]]]));
  writeFileSync(path.join(FOLDER, `${server}.json`), `${JSON.stringify(Object.fromEntries(kept), undefined, 1)}\n`);
}

export function admissionFindings({ object }: Mutation): readonly Finding[] {
  return validateManifests([{ value: object }], { rules: 'admission' });
}

export const isRefused = (findings: readonly Finding[]): boolean => findings.some(({ severity }) => severity === 'error');

/** The character for a document, or undefined where we and the server differ and nothing excuses it. */
export function verdictOf({ isAccepted, status }: Verdict, findings: readonly Finding[], isBuiltIn: boolean): string | undefined {
  const refused = isRefused(findings);
  if (isAccepted !== refused) return isAccepted ? '+' : '-';
  if (isAccepted) return isListForFormattedText(findings) || (isBuiltIn && isReadAsEmpty(findings)) ? 's' : undefined;
  // The decoder's refusals (400) are in the schema; those of the code behind it are as many as somebody wrote.
  return isBuiltIn && status === 422 ? '~' : undefined;
}

/** Whether we say of a document what was recorded of it. */
export function agrees(verdict: string | undefined, findings: readonly Finding[]): boolean {
  return isRefused(findings) === (verdict === '-' || verdict === 's');
}

// The server's type check lets a list through where text with a format (cidr, byte) is asked for; such an object is of no use.
function isListForFormattedText(findings: readonly Finding[]): boolean {
  return findings.every(({ code, what, allowed }) => code === 'AIG011' && what.endsWith('is a list') && allowed === 'string');
}

/**
 * Of built-in kinds the server reads these as empty values, which nobody means, though its own OpenAPI asks for them; and it would invent
 * a name for a LimitRange, which kubectl does not apply without one.
 */
function isReadAsEmpty(findings: readonly Finding[]): boolean {
  return findings.every(
    ({ code, what, object }) =>
      (code === 'AIG011' && /\[\d+\] is null$/.test(what)) ||
      (code === 'AIG012' && /\.sleep\.seconds is missing$|^spec\.limits is missing$|\.served is missing$/.test(what)) ||
      (code === 'AIG020' && object?.kind === 'LimitRange' && what === 'metadata.name is missing'),
  );
}
