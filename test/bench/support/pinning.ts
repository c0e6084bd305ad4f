import { existsSync } from 'node:fs';
import { cpus } from 'node:os';

/** The server's core, and the one for everything else. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

/** Where cores cannot be set apart, the numbers are of servers and clients that share them. */
export const canPin = process.platform === 'linux' && existsSync('/usr/bin/taskset') && cpus().length > 1;

/** A command that runs on one core only. */
export function pinned(core: number, program: string, args: readonly string[]): [program: string, args: string[]] {
  return canPin ? ['/usr/bin/taskset', ['-c', String(core), program, ...args]] : [program, [...args]];
}
