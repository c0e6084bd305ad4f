import { type RunningProcess, startProcess } from '../../components/process';
import { ExtProcClient } from '../../integration/picker-program/ext-proc-client';
import { type Machine, programOf } from './container-programs';
import type { KubeItem } from './kube-client';
import type { Mount } from './pod-files';

interface Probe {
  readonly httpGet?: { readonly port: number | string; readonly path: string };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

const FIRST_RESTART_MS = 0;
const LATER_RESTARTS_MS = 1_000;

/** A container: its process, started again when it ends, and what its probes say. */
export class RunningContainer {
  public process: RunningProcess | undefined;
  public isReady = false;
  /** Ended on purpose: no longer started again. */
  public isEnding = false;
  public restarts = -1;
  private startMs = 0;
  private lastWords = '';
  private ready = new ProbeState();
  private alive = new ProbeState();

  public constructor(
    private readonly machine: Machine,
    private readonly pod: KubeItem,
    public readonly spec: any,
    private readonly mounts: readonly Mount[],
    private readonly ip: string,
  ) {}

  public get name(): string {
    return this.spec.name;
  }

  /** The last that it printed. */
  public get output(): string {
    return this.process?.output() ?? this.lastWords;
  }

  public signal(signal: NodeJS.Signals): void {
    process.kill(this.process!.pid, signal);
  }

  /** Starts it where it does not run, and probes it where that is due. */
  public async look(): Promise<void> {
    if (this.process === undefined) {
      if (!this.isEnding && Date.now() >= this.startMs) await this.start();
      return;
    }
    const { readinessProbe, livenessProbe } = this.spec as { readinessProbe?: Probe; livenessProbe?: Probe };
    const known = this.process;
    const [isReady, isAlive] = await Promise.all([
      this.ready.ask(readinessProbe, () => this.probe(readinessProbe!)),
      // a start-up probe holds the others back: here that is until the container was ready once
      this.ready.wasGood ? this.alive.ask(livenessProbe, () => this.probe(livenessProbe!)) : true,
    ]);
    if (this.process !== known) return;
    this.isReady = isReady;
    if (!isAlive && !this.isEnding) await this.process.stop('SIGKILL');
  }

  private async start(): Promise<void> {
    const { program, args, env } = programOf(this.machine, this.pod, this.spec, this.mounts, this.ip);
    const started = await startProcess(program, { args, env });
    this.process = started;
    this.restarts++;
    this.ready = new ProbeState();
    this.alive = new ProbeState();
    void started.exited.then(() => {
      this.lastWords = started.output();
      this.process = undefined;
      this.isReady = false;
      this.startMs = Date.now() + (this.restarts === 0 ? FIRST_RESTART_MS : LATER_RESTARTS_MS);
    });
  }

  private async probe({ httpGet, grpc, timeoutSeconds = 1 }: Probe): Promise<boolean> {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    try {
      if (httpGet !== undefined) {
        const answer = await fetch(`http://${this.ip}:${this.portOf(httpGet.port)}${httpGet.path}`, { signal });
        await answer.arrayBuffer();
        return answer.ok;
      }
      return await this.isServing(grpc!, signal);
    } catch {
      return false;
    }
  }

  private async isServing({ port, service }: NonNullable<Probe['grpc']>, signal: AbortSignal): Promise<boolean> {
    const client = new ExtProcClient(`http://${this.ip}:${port}`);
    const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));
    try {
      return (await Promise.race([client.health(service ?? ''), late])) === 'SERVING';
    } finally {
      client.destroy();
    }
  }

  private portOf(port: number | string): number {
    if (typeof port === 'number') return port;
    return this.spec.ports.find(({ name }: { name: string }) => name === port).containerPort;
  }
}

/** The verdict of one probe over time. Before its first success it is asked at every look, so that no test waits for a period. */
class ProbeState {
  public wasGood = false;
  private isGood = false;
  private failures = 0;
  private nextMs = 0;
  private isAsking = false;

  public async ask(probe: Probe | undefined, ask: () => Promise<boolean>): Promise<boolean> {
    if (probe === undefined) return true;
    if (this.isAsking || Date.now() < this.nextMs) return this.isGood;
    this.isAsking = true;
    const answer = await ask();
    this.isAsking = false;
    if (answer) {
      this.isGood = true;
      this.wasGood = true;
      this.failures = 0;
    } else if (++this.failures >= (probe.failureThreshold ?? 3)) {
      this.isGood = false;
    }
    if (this.wasGood) this.nextMs = Date.now() + (probe.periodSeconds ?? 10) * 1000;
    return this.isGood;
  }
}
