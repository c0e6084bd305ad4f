import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { type RunningProcess, startProcess } from './process';
import { cacheFolder } from './resolver';

let bundle: string | undefined;

/** The engine's program as one file that a plain Node process runs; built once, named by its content. */
function engineProgram(): string {
  if (bundle !== undefined) return bundle;
  const entry = join(__dirname, '..', '..', 'src', 'simulation', 'engine', 'main.ts');
  const built = buildSync({ entryPoints: [entry], bundle: true, platform: 'node', target: 'node20', write: false });
  const text = built.outputFiles[0]!.text;
  const folder = cacheFolder();
  mkdirSync(folder, { recursive: true });
  bundle = join(folder, `engine-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.js`);
  // Renamed into place, because test files run at the same time.
  const unfinished = `${bundle}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, bundle);
  return bundle;
}

export interface EngineProcess extends RunningProcess {
  readonly port: number;
  readonly url: string;
}

/** A simulated engine as a process of its own, for tests that kill it or measure it. */
export async function startEngine(args: readonly string[] = []): Promise<EngineProcess> {
  const running = await startProcess(process.execPath, {
    args: [engineProgram(), ...args],
    ready: /engine listening on (http:\S+:(\d+))/,
  });
  return { ...running, url: running.readyMatch[1]!, port: Number(running.readyMatch[2]) };
}
