/// <reference types="jest" />
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { types } from 'node:util';
import { freePorts } from '../../src/cli/up/run/free-ports';

export { freePorts };

export interface StartOptions {
  readonly args?: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Ready when a line of its output matches, or when this loopback port accepts. Undefined: at once. */
  readonly ready?: RegExp | { readonly port: number };
  /** @default 15000 */
  readonly readyTimeoutMs?: number;
}

export interface RunningProcess {
  readonly pid: number;
  /** What `ready` matched; capture groups carry ports. Empty when `ready` was no expression. */
  readonly readyMatch: readonly string[];
  /** Everything printed so far, stdout and stderr as they came (the last 4 MB). */
  output(): string;
  /** Exit code, or the signal's name; resolves when it has ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Asks it to end, and after `graceMs` (default 3000) no longer asks. Resolves when it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

const MAX_OUTPUT_CHARS = 4 << 20;
const running = new Set<ChildProcess>();

/** Linux: the kernel ends the child with its parent, however the parent died, so that a crashed test run leaks nothing. */
const setpriv = process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? '/usr/bin/setpriv' : undefined;

/** Starts a program and waits until it is ready. Ends with the test file at the latest. */
export async function startProcess(program: string, options: StartOptions = {}): Promise<RunningProcess> {
  const args = [...(options.args ?? [])];
  const [command, commandArgs] = setpriv ? [setpriv, ['--pdeathsig', 'KILL', '--', program, ...args]] : [program, args];
  const child = spawn(command, commandArgs, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);

  let output = '';
  const watchers = new Set<() => void>();
  const collect = (chunk: string) => {
    output += chunk;
    if (output.length > MAX_OUTPUT_CHARS) output = output.slice(-MAX_OUTPUT_CHARS / 2);
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);

  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    const ended = (result: number | NodeJS.Signals) => {
      running.delete(child);
      resolve(result);
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      ended(127);
    });
    child.once('close', (code, signal) => ended(code ?? signal ?? 1));
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = 3000) => {
    if (!running.has(child)) return;
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(force);
  };

  const limitMs = options.readyTimeoutMs ?? 15_000;
  let readyMatch: readonly string[] = [];
  try {
    if (options.ready instanceof RegExp) readyMatch = await lineMatching(options.ready, () => output, watchers, exited, limitMs);
    else if (options.ready) await portAccepting(options.ready.port, exited, limitMs);
  } catch (error) {
    await stop('SIGKILL');
    throw new Error(`${program} ${args.join(' ')}: ${(error as Error).message}\n${output.slice(-2000)}`);
  }
  return { pid: child.pid!, readyMatch, output: () => output, exited, stop };
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Polls until the answer is truthy, and returns it; the last error or value is in the message when time is up. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  limitMs = 10_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  let last: unknown;
  do {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${limitMs} ms; last: ${said(last)}`);
}

function said(last: unknown): string {
  // not instanceof: an error of Node itself is none of the test environment's
  if (!types.isNativeError(last)) return JSON.stringify(last);
  return last.cause === undefined ? last.message : `${last.message} (${said(last.cause)})`;
}

function lineMatching(
  pattern: RegExp,
  output: () => string,
  watchers: Set<() => void>,
  exited: Promise<number | NodeJS.Signals>,
  limitMs: number,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error(`did not print ${pattern} within ${limitMs} ms`))), limitMs);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      watchers.delete(look);
      act();
    };
    const look = () => {
      const match = pattern.exec(output());
      if (match) settle(() => resolve([...match]));
    };
    watchers.add(look);
    look();
    void exited.then((result) => settle(() => reject(new Error(`ended with ${result} before it was ready`))));
  });
}

async function portAccepting(port: number, exited: Promise<number | NodeJS.Signals>, limitMs: number): Promise<void> {
  let ended: number | NodeJS.Signals | undefined;
  void exited.then((result) => {
    ended = result;
  });
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    if (ended !== undefined) throw new Error(`ended with ${ended} before it was ready`);
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`port ${port} did not accept within ${limitMs} ms`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Stops everything that this file started, in parallel. */
export async function stopAll(): Promise<void> {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('close', () => resolve());
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 3000).unref();
        }),
    ),
  );
}

if (typeof afterAll === 'function') {
  afterAll(stopAll, 10_000);
} else {
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
}
