import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import type { ApiKey } from './api-keys';

/** What a directory of keys says. */
export interface ReadKeys {
  readonly keys: readonly ApiKey[];
  /** Files that were left out, and why. Never says a key. */
  readonly problems: readonly Problem[];
}

/** What the API of OpenAI's clients can send in a header, and what no comparison could confuse. */
const KEY = /^[\x21-\x7e]{1,1024}$/;
/** Shorter keys can be guessed. */
const MIN_KEY_LENGTH = 16;

/**
 * Reads a directory, such as a mounted Secret: one file a client, its name the client, its content the key; further lines are further keys
 * of the same client, for the time in which one replaces the other. Names with a leading dot are Kubernetes' own.
 * @returns problems for files whose keys do not count; the directory itself cannot be read when `keys` is undefined
 */
export function readKeyDirectory(
  directory: string,
): ReadKeys | { readonly keys: undefined; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const fault = (what: string, fix: string, where: string): void => {
    problems.push({ code: ConfigCode.UNUSABLE_FILE, what, fix, where });
  };
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => !name.startsWith('.'));
  } catch (error) {
    fault(`the directory of API keys cannot be read: ${(error as Error).message}`, 'mount the Secret with the keys', directory);
    return { keys: undefined, problems };
  }
  const owners = new Map<string, string>();
  const shared = new Set<string>();
  for (const name of names.sort()) {
    const file = path.join(directory, name);
    const lines = readLines(file, fault);
    if (lines === undefined) continue;
    if (lines.length === 0) fault(`the API key of client '${name}' is empty`, 'write the key into the file', file);
    for (const key of lines) {
      if (!KEY.test(key)) {
        fault(`an API key of client '${name}' cannot be sent in a header`, 'use printable ASCII without spaces', file);
      } else if (key.length < MIN_KEY_LENGTH) {
        fault(`an API key of client '${name}' is too short`, `use at least ${MIN_KEY_LENGTH} characters`, file);
      } else if (owners.has(key) && owners.get(key) !== name) {
        // whose request would it be? none's, or one could spend what is another's
        shared.add(key);
        fault(`clients '${owners.get(key)}' and '${name}' have the same API key`, 'give each client a key of its own', file);
      } else owners.set(key, name);
    }
  }
  const keys = [...owners].filter(([key]) => !shared.has(key)).map(([key, client]) => ({ client, key }));
  return { keys, problems };
}

/** Changes whenever a file of the directory does. A mounted Secret changes by a link, so that its thousands of files need no look. */
export function directorySignature(directory: string): string {
  const link = stamp(path.join(directory, '..data'));
  if (link !== 'absent') return link;
  try {
    const names = readdirSync(directory);
    return names.map((name) => `${name}=${stamp(path.join(directory, name))}`).join('\n');
  } catch {
    return 'absent';
  }
}

function stamp(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? 'absent' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

function readLines(file: string, fault: (what: string, fix: string, where: string) => void): string[] | undefined {
  try {
    if (statSync(file).isDirectory()) return undefined;
    const text = readFileSync(file, 'utf8');
    return text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch (error) {
    fault(`a file of API keys cannot be read: ${(error as Error).message}`, 'let the picker read it', file);
    return undefined;
  }
}
