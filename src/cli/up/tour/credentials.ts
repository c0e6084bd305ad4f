import type { LoopbackPicker } from '../run/loopback-picker';
import { LAPTOP_KEYS } from '../run/picker-files';

/** A client that a picker knows. */
export interface Client {
  readonly name: string;
  /** Headers that prove who it is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its key. */
  readonly key: string;
}

/** Clients of a picker that verifies keys itself; none for another. */
export function clientsOf({ policy, plan }: LoopbackPicker): Client[] {
  const identity = policy?.identity;
  if (identity?.source !== 'apiKeys') return [];
  return [...(plan.apiKeys ?? LAPTOP_KEYS)].map(([name, text]) => {
    const key = text.trim().split(/\s*\n/)[0]!;
    return { name, key, headers: { [identity.header]: identity.header === 'authorization' ? `Bearer ${key}` : key } };
  });
}
