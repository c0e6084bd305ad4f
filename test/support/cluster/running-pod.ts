import { startProcess } from '../../components/process';
import type { Machine } from './container-programs';
import type { KubeClient, KubeItem } from './kube-client';
import { type Mount, writeVolumes } from './pod-files';
import { RunningContainer } from './running-container';

const LOOK_MS = 100;
/** A hook may ask for minutes, because answers may take as long; those of tests take seconds. */
const LONGEST_SLEEP_SECONDS = 4;

/** A pod as a kubelet keeps it: volumes, containers, probes, restarts, its status, and its end. */
export class RunningPod {
  public containers: readonly RunningContainer[] = [];
  private isEnding = false;
  private isGone = false;
  private reported: boolean | undefined;
  private waitsFor = '';

  public constructor(
    private readonly kube: KubeClient,
    private readonly machine: Machine,
    public readonly object: KubeItem,
    public readonly ip: string,
    private readonly folder: string,
  ) {
    void this.run();
  }

  public get name(): string {
    return this.object.metadata.name;
  }

  public container(name: string): RunningContainer {
    const found = this.containers.find((container) => container.name === name);
    if (found === undefined) throw new Error(`${this.name} runs no container ${name}`);
    return found;
  }

  /** For the message of a test that waited in vain. */
  public describe(): string {
    const containers = this.containers.map(({ name, isReady, restarts, output }) => {
      return `${name} ${isReady ? 'ready' : 'not ready'}, ${restarts} restarts: ${output.slice(-500)}`;
    });
    return `${this.name} (${this.ip})${this.isEnding ? ' ending' : ''} ${containers.join('\n  ') || this.waitsFor}`;
  }

  /** The hooks, SIGTERM, and after the grace period SIGKILL; then the object is removed. */
  public terminate(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    const graceMs = (this.object.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    const end = async (): Promise<void> => {
      await Promise.all(
        this.containers.map(async (container) => {
          container.isEnding = true;
          await this.preStop(container);
          await container.process?.stop('SIGTERM', graceMs);
        }),
      );
      this.isGone = true;
      await this.untilAnswered(() => this.kube.delete(this.object, 0));
    };
    void end();
  }

  /** At once, without a word to anybody. */
  public async kill(): Promise<void> {
    this.isEnding = true;
    this.isGone = true;
    await Promise.all(this.containers.map((container) => container.process?.stop('SIGKILL')));
  }

  private async run(): Promise<void> {
    while (!this.isEnding && this.containers.length === 0) {
      // a ConfigMap or Secret that is not there yet
      await this.prepare().catch((error: Error) => {
        this.waitsFor = error.message;
      });
      await pause();
    }
    while (!this.isGone) {
      await Promise.all(this.containers.map((container) => container.look()));
      const isReady = this.containers.every((container) => container.isReady);
      if (isReady !== this.reported && (await this.report(isReady))) this.reported = isReady;
      await pause();
    }
  }

  private async prepare(): Promise<void> {
    const folders = await writeVolumes(this.kube, this.object, this.folder);
    this.containers = this.object.spec.containers.map((spec: any) => {
      const mounts: Mount[] = (spec.volumeMounts ?? []).map(({ name, mountPath }: { name: string; mountPath: string }) => {
        return { containerPath: mountPath, folder: folders.get(name) };
      });
      return new RunningContainer(this.machine, this.object, spec, mounts, this.ip);
    });
  }

  private async report(isReady: boolean): Promise<boolean> {
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    const status = { phase: 'Running', podIP: this.ip, podIPs: [{ ip: this.ip }], conditions };
    return this.kube.patch(this.object, { status }, '/status').then(
      () => true,
      // gone meanwhile, or the API server is away
      () => false,
    );
  }

  private async preStop({ spec }: RunningContainer): Promise<void> {
    const { sleep, exec } = spec.lifecycle?.preStop ?? {};
    if (sleep !== undefined) await pause(Math.min(sleep.seconds, LONGEST_SLEEP_SECONDS) * 1000);
    if (exec === undefined) return;
    const [program, ...args] = (exec.command as string[]).map((word) =>
      word.replaceAll('127.0.0.1', this.ip).replace(/time\.sleep\(\d{2,}\)/, `time.sleep(${LONGEST_SLEEP_SECONDS})`),
    );
    const hook = await startProcess(program!, { args });
    await hook.exited;
  }

  private async untilAnswered(ask: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await ask();
      } catch {
        await pause(500);
      }
    }
  }
}

function pause(ms = LOOK_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
