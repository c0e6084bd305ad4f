import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from './container-programs';
import type { KubeClient, KubeItem } from './kube-client';
import { RunningPod } from './running-pod';

/** Runs the pods of a namespace as processes of this machine, each on a loopback address of its own. */
export class Kubelet {
  private readonly pods = new Map<string, RunningPod>();
  private addresses = 0;

  public constructor(
    private readonly kube: KubeClient,
    private readonly machine: Machine,
    private readonly folder: string,
  ) {}

  /** Starts what is new, ends what is deleted. */
  public sync(objects: readonly KubeItem[]): void {
    const uids = new Set(objects.map(({ metadata }) => metadata.uid!));
    for (const object of objects) {
      const uid = object.metadata.uid!;
      const running = this.pods.get(uid);
      if (running === undefined) this.start(uid, object);
      else if (object.metadata.deletionTimestamp !== undefined) running.terminate();
    }
    for (const [uid, running] of this.pods) {
      if (uids.has(uid)) continue;
      this.pods.delete(uid);
      void running.kill();
    }
  }

  /** The pods that run, by name. */
  public get running(): readonly RunningPod[] {
    return [...this.pods.values()];
  }

  public async stop(): Promise<void> {
    await Promise.all(this.running.map((pod) => pod.kill()));
  }

  private start(uid: string, object: KubeItem): void {
    const folder = path.join(this.folder, object.metadata.name);
    mkdirSync(folder, { recursive: true });
    const ip = this.nextAddress();
    this.pods.set(uid, new RunningPod(this.kube, this.machine, object, ip, folder));
  }

  /** Test files run in processes of their own, at the same time, and pods open the same ports: each process has addresses of its own. */
  private nextAddress(): string {
    const { pid } = process;
    return `127.${20 + (pid % 230)}.${Math.floor(pid / 230) % 250}.${(this.addresses++ % 250) + 2}`;
  }
}
