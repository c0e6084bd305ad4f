import type { Finding } from '../../validation';

/** What a format may need beside the findings. */
export interface Report {
  readonly findings: readonly Finding[];
  /** Text of the inputs by file, for excerpts. */
  readonly texts: ReadonlyMap<string, string>;
  readonly objectCount: number;
  readonly unreadable: readonly string[];
  readonly colour: boolean;
}

/** `spec.x is wrong (got 3; allowed: 1, 2)`: the finding without its fix and its place. */
export function facts({ what, value, allowed }: Finding): string {
  const parts: string[] = [];
  if (value !== undefined) parts.push(`got ${shown(value)}`);
  if (allowed !== undefined) parts.push(`allowed: ${allowed}`);
  return parts.length === 0 ? what : `${what} (${parts.join('; ')})`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
