import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramOptions {
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gets every line that the program prints. */
  readonly onLine?: (line: string) => void;
}

const KEPT_CHARS = 64 << 10;
const GRACE_MS = 3_000;

/** A program that runs beside this one and ends with it. */
export class ChildProgram {
  /** Exit code, or the signal's name. */
  public readonly exited: Promise<number | string>;
  private readonly child: ChildProcess;
  private text = '';
  private rest = '';
  private ended = false;

  public constructor(program: string, { args, env, onLine }: ProgramOptions) {
    // A group of its own: Ctrl-C in the terminal reaches this process alone, which then ends the others in order.
    this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const collect = (chunk: string): void => {
      this.text = (this.text + chunk).slice(-KEPT_CHARS);
      const lines = (this.rest + chunk).split('\n');
      this.rest = lines.pop()!;
      if (onLine !== undefined) for (const line of lines) onLine(line);
    };
    this.child.stdout!.setEncoding('utf8').on('data', collect);
    this.child.stderr!.setEncoding('utf8').on('data', collect);
    this.exited = new Promise((resolve) => {
      const end = (result: number | string): void => {
        this.ended = true;
        resolve(result);
      };
      this.child.once('error', (error) => {
        this.text += error.message;
        end(127);
      });
      this.child.once('close', (code, signal) => end(code ?? signal ?? 1));
    });
  }

  public get hasEnded(): boolean {
    return this.ended;
  }

  /** The last that it printed. */
  public get output(): string {
    return this.text;
  }

  /** True once `isReady` is, false when the program ends before. */
  public async ready(isReady: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
    const endMs = Date.now() + limitMs;
    while (!this.ended && Date.now() < endMs) {
      if (await isReady()) return true;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return false;
  }

  /** Asks it to end, and after a grace period no longer asks. */
  public async stop(): Promise<void> {
    if (this.ended) return;
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.child.kill('SIGKILL'), GRACE_MS);
    await this.exited;
    clearTimeout(force);
  }
}
