import { bundled } from './bundle';
import { type RunningProcess, startProcess } from './process';

export interface EngineProcess extends RunningProcess {
  readonly port: number;
  readonly url: string;
}

/** A simulated engine as a process of its own, for tests that kill it or measure it. */
export async function startEngine(args: readonly string[] = []): Promise<EngineProcess> {
  const program = bundled('simulation/engine/main.ts');
  const running = await startProcess(process.execPath, {
    args: [program, ...args],
    ready: /engine listening on (http:\S+:(\d+))/,
  });
  return { ...running, url: running.readyMatch[1]!, port: Number(running.readyMatch[2]) };
}
