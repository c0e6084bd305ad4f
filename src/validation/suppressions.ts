import type { Finding } from './findings';
import type { KubeObject } from './object-index';

/** On an object: `AIG201: reason`, several separated by newlines or `;`. */
export const SUPPRESS_ANNOTATION = 'cdk8s-ai-gateway.dev/suppress';

/** Switches a rule off where it was decided that it does not apply. */
export interface Suppression {
  /** `AIG201`. */
  readonly code: string;
  /** Why. Without one, nothing is suppressed. */
  readonly reason: string;
  /** Objects that it is for: `Kind`, `Kind/name` or `Kind/namespace/name`. @default - all */
  readonly object?: string;
}

/** A malformed suppression, as text for a finding. */
export interface SuppressionProblem {
  readonly what: string;
  readonly value: string;
}

export function suppressionsOf(object: KubeObject): {
  readonly suppressions: Suppression[];
  readonly problems: SuppressionProblem[];
} {
  const text = object.annotation(SUPPRESS_ANNOTATION);
  const suppressions: Suppression[] = [];
  const problems: SuppressionProblem[] = [];
  for (const entry of text?.split(/[\n;]/) ?? []) {
    if (entry.trim() === '') continue;
    const match = /^\s*(AIG\d{3})\s*:\s*(\S.*)$/.exec(entry);
    if (match === null) problems.push({ what: 'is no suppression: it needs a code and a reason', value: entry.trim() });
    else suppressions.push({ code: match[1]!, reason: match[2]!.trim() });
  }
  return { suppressions, problems };
}

export function isSuppressed(finding: Finding, suppressions: readonly Suppression[]): boolean {
  return suppressions.some(({ code, object }) => code === finding.code && (object === undefined || means(finding, object)));
}

function means({ object }: Finding, pattern: string): boolean {
  if (object === undefined) return false;
  const parts = pattern.split('/');
  const [kind] = parts;
  if (kind !== object.kind) return false;
  if (parts.length === 1) return true;
  return parts.length === 2 ? parts[1] === object.name : parts[1] === object.namespace && parts[2] === object.name;
}
