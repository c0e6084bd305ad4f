import { setImmediate } from 'node:timers/promises';
import {
  ClusterError,
  type ClusterWatch,
  type KubeObject,
  type ObjectList,
  targetPath,
  type WatchListener,
  type WatchTarget,
} from '../../../../../src/picker/kube/cluster-watch';
import type { WatchHost } from '../../../../../src/picker/kube/watch-host';
import { ManualClock } from '../../../../../src/shared/clock';
import { SeededRandom } from '../../../../../src/shared/random';

export type Kind = Pick<WatchTarget, 'group' | 'version' | 'resource' | 'namespace'>;

export const PODS: Kind = { group: '', version: 'v1', resource: 'pods', namespace: 'ai' };
export const POOL_GROUP = 'inference.networking.k8s.io';
export const POOLS: Kind = { group: POOL_GROUP, version: 'v1', resource: 'inferencepools', namespace: 'ai' };

interface Change {
  readonly version: number;
  readonly path: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

interface OpenWatch {
  readonly target: WatchTarget;
  readonly listener: WatchListener;
  readonly close: (error?: ClusterError) => void;
}

/** An API server as far as a watcher sees it: objects with versions, a log of changes that it may forget, and watches over it. */
export class FakeCluster implements ClusterWatch {
  public lists = 0;
  public watchesOpened = 0;
  /** Answers of the next calls, the first first; undefined lets a call through. */
  public readonly failures: (ClusterError | undefined)[] = [];
  /** Resources (`pods`) that are not installed, or that may not be read. */
  public readonly missing = new Set<string>();
  public readonly forbidden = new Set<string>();
  public readonly open = new Set<OpenWatch>();

  private version = 100;
  private oldest = 0;
  private uids = 0;
  private readonly objects = new Map<string, Map<string, KubeObject>>();
  private log: Change[] = [];

  public put(kind: Kind, name: string, fields: Omit<Partial<KubeObject>, 'metadata'> & { metadata?: object }): KubeObject {
    const path = targetPath(kind);
    const before = this.at(path).get(name);
    const after: KubeObject = {
      ...fields,
      metadata: {
        creationTimestamp: new Date(Date.UTC(2026, 0, 1) + this.version * 1e3).toISOString(),
        ...before?.metadata,
        ...fields.metadata,
        name,
        namespace: kind.namespace,
        uid: before?.metadata.uid ?? `uid-${++this.uids}`,
        resourceVersion: String(++this.version),
      },
    };
    this.at(path).set(name, after);
    this.change({ version: this.version, path, before, after });
    return after;
  }

  public remove(kind: Kind, name: string): void {
    const path = targetPath(kind);
    const before = this.at(path).get(name);
    if (before === undefined) return;
    this.at(path).delete(name);
    this.change({ version: ++this.version, path, before, after: undefined });
  }

  /** Ends watches in order, as a server does from time to time, or with an error. */
  public closeWatches(error?: ClusterError): void {
    for (const { close } of [...this.open]) close(error);
  }

  /** Tells watches how far the server is, whatever they watch. */
  public bookmark(): void {
    const object = { metadata: { name: '', uid: '', resourceVersion: String(this.version) } };
    for (const { listener } of this.open) listener.onEvent('BOOKMARK', object);
  }

  /** Forgets all changes so far. */
  public compact(): void {
    this.oldest = this.version;
    this.log = [];
  }

  public async list(target: WatchTarget, signal: AbortSignal): Promise<ObjectList> {
    await this.admit(target, signal);
    this.lists++;
    const items = [...this.at(targetPath(target)).values()].filter((object) => matches(object, target));
    return { items, resourceVersion: String(this.version) };
  }

  public async watch(target: WatchTarget, resourceVersion: string, listener: WatchListener, signal: AbortSignal): Promise<void> {
    await this.admit(target, signal);
    const from = Number(resourceVersion);
    if (from < this.oldest) throw new ClusterError(410, 'too old resource version');
    this.watchesOpened++;
    listener.onOpen();
    for (const change of this.log) if (change.version > from) deliver(change, target, listener);
    return new Promise((resolve, reject) => {
      const watch: OpenWatch = {
        target,
        listener,
        close: (error) => {
          this.open.delete(watch);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.open.add(watch);
      signal.addEventListener('abort', () => watch.close(new ClusterError(0, 'aborted')));
    });
  }

  private async admit(target: WatchTarget, signal: AbortSignal): Promise<void> {
    await setImmediate();
    signal.throwIfAborted();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    if (this.forbidden.has(target.resource)) throw new ClusterError(403, `${target.resource} is forbidden`);
    if (this.missing.has(target.resource)) throw new ClusterError(404, '404 page not found');
  }

  private at(path: string): Map<string, KubeObject> {
    let objects = this.objects.get(path);
    if (objects === undefined) {
      objects = new Map();
      this.objects.set(path, objects);
    }
    return objects;
  }

  private change(change: Change): void {
    this.log.push(change);
    for (const { target, listener } of [...this.open]) deliver(change, target, listener);
  }
}

/** An object that leaves the selector of a watch is deleted for it, one that comes in is added. */
function deliver({ version, path, before, after }: Change, target: WatchTarget, listener: WatchListener): void {
  if (path !== targetPath(target)) return;
  const was = before !== undefined && matches(before, target);
  const is = after !== undefined && matches(after, target);
  const resourceVersion = String(version);
  if (is) listener.onEvent(was ? 'MODIFIED' : 'ADDED', after);
  else if (was) listener.onEvent('DELETED', { ...before, metadata: { ...before.metadata, resourceVersion } });
}

function matches({ metadata }: KubeObject, { labelSelector = '', name }: WatchTarget): boolean {
  if (name !== undefined && metadata.name !== name) return false;
  return labelSelector
    .split(',')
    .filter((pair) => pair !== '')
    .every((pair) => metadata.labels?.[pair.split('=')[0]!] === pair.split('=')[1]);
}

/** A host whose waits take no time: the clock moves on by them. */
export function fakeHost(cluster: ClusterWatch): WatchHost & { readonly clock: ManualClock; said: string[]; waits: number[] } {
  const said: string[] = [];
  const waits: number[] = [];
  const clock = new ManualClock(1_000);
  const say = (level: string) => (_: unknown, message: string) => void said.push(`${level}: ${message}`);
  return {
    cluster,
    clock,
    said,
    waits,
    random: new SeededRandom(7),
    log: { debug: say('debug'), info: say('info'), warn: say('warn') } as unknown as WatchHost['log'],
    delay: async (ms, signal) => {
      waits.push(ms);
      await setImmediate();
      signal.throwIfAborted();
      clock.advance(ms);
    },
  };
}

/** Lets everything that is under way come to rest. */
export async function settle(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await setImmediate();
}

/** Fields of a pod that serves. */
export function pod(ip: string, { ready = true, labels = { app: 'llama' }, ...rest }: PodFields = {}): Fields {
  const { annotations, deletionTimestamp, phase = 'Running' } = rest;
  return {
    metadata: { labels, ...(annotations ? { annotations } : {}), ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    status: { phase, podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

/** Any part of an object. */
export interface Fields {
  readonly metadata: object;
  readonly status?: object;
}

interface PodFields {
  readonly ready?: boolean;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly deletionTimestamp?: string;
  readonly phase?: string;
}

/** Fields of an InferencePool of version v1. */
export function pool(ports: readonly number[], matchLabels: Record<string, string> = { app: 'llama' }): { spec: object } {
  return { spec: { selector: { matchLabels }, targetPorts: ports.map((number) => ({ number })) } };
}
