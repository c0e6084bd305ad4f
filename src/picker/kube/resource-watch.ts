import { formatProblem } from '../../shared/problem';
import type { SourceStatus } from '../discovery/endpoint-discovery';
import { SourceState } from '../discovery/source-state';
import { Backoff } from './backoff';
import { ClusterError, type KubeObject, resourceName, type WatchListener, type WatchTarget } from './cluster-watch';
import { clusterProblem } from './failures';
import type { WatchHost } from './watch-host';

export interface ResourceWatchOptions<T> {
  readonly target: WatchTarget;
  /** Further versions of the kind, tried in turn where the server does not know one. @default none */
  readonly otherVersions?: readonly string[];
  /** What is kept of an object; undefined when it is of no interest. Must not throw. */
  readonly parse: (object: KubeObject) => T | undefined;
  /** Called after every change, and after the first list. */
  readonly onChange: () => void;
  /** A kind that is not installed has no objects: neither a fault nor a reason to wait. @default false */
  readonly isOptional?: boolean;
}

/** A watch that lasted this long was a good one: the next failure is the first again. */
const GOOD_WATCH_MS = 1_000;
/** A kind that may be missing is asked for this often. */
const OPTIONAL_LONGEST_MS = 30_000;
/** The same failure is told again after this time. */
const TELL_AGAIN_MS = 300_000;

/**
 * Keeps what one list and the watch after it say, and goes on for ever: a watch that ends in order is resumed where it ended; after any
 * failure, and when the server has forgotten the place (410), everything is listed anew and compared. What is known stays known while
 * the server is away.
 */
export class ResourceWatch<T> {
  /** By uid, so that an object which is made again under its name is another one. */
  public readonly items = new Map<string, T>();

  private readonly state: SourceState;
  private readonly backoff: Backoff;
  private readonly aborter = new AbortController();
  private versions: readonly string[];
  private told = '';
  private toldAtMs = Number.NEGATIVE_INFINITY;

  public constructor(
    private readonly host: WatchHost,
    private readonly options: ResourceWatchOptions<T>,
  ) {
    const { target, otherVersions = [], isOptional = false } = options;
    this.versions = [target.version, ...otherVersions];
    this.state = new SourceState(describeTarget(target), host.clock);
    this.backoff = new Backoff(host.random, isOptional ? OPTIONAL_LONGEST_MS : undefined);
  }

  public start(): void {
    void this.run(this.aborter.signal);
  }

  public stop(): void {
    this.aborter.abort();
  }

  /** The objects were listed once. */
  public get isSynced(): boolean {
    return this.state.status.isSynced;
  }

  public get status(): SourceStatus {
    return this.state.status;
  }

  private async run(signal: AbortSignal): Promise<void> {
    let place: string | undefined;
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        place ??= await this.list(signal);
        const follower = new Follower(place, this.onOpen, this.onEvent);
        try {
          const startedMs = this.host.clock.nowMs();
          await this.host.cluster.watch(this.target(), place, follower, signal);
          const wasGood = follower.hasSaid || this.host.clock.nowMs() - startedMs >= GOOD_WATCH_MS;
          if (wasGood) this.backoff.reset();
          // a server that ends every watch at once must not be asked without end
          else waitMs = this.backoff.nextMs();
        } finally {
          place = follower.place;
        }
      } catch (error) {
        if (signal.aborted) return;
        place = undefined;
        waitMs = this.failed(error instanceof ClusterError ? error : new ClusterError(0, String(error)));
      }
      if (waitMs > 0) await this.host.delay(waitMs, signal).catch(() => undefined);
    }
  }

  private target(): WatchTarget {
    return { ...this.options.target, version: this.versions[0]! };
  }

  /** Takes over the whole list. @returns where to watch from */
  private async list(signal: AbortSignal): Promise<string> {
    const { items, resourceVersion } = await this.host.cluster.list(this.target(), signal);
    signal.throwIfAborted();
    const isFirst = !this.isSynced;
    const gone = new Set(this.items.keys());
    let changed = isFirst;
    for (const object of items) {
      gone.delete(object.metadata.uid);
      if (this.take(object)) changed = true;
    }
    for (const uid of gone) if (this.items.delete(uid)) changed = true;
    this.state.synced();
    if (changed) this.options.onChange();
    return resourceVersion;
  }

  private readonly onOpen = (): void => {
    const lostSeconds = this.state.followed();
    if (lostSeconds === undefined) return;
    this.told = '';
    this.host.log.info(
      { source: this.status.source, lostSeconds: Math.round(lostSeconds) },
      'the Kubernetes API is followed again',
    );
  };

  private readonly onEvent: WatchListener['onEvent'] = (type, object) => {
    this.state.touched();
    if (type === 'BOOKMARK') return;
    const changed = type === 'DELETED' ? this.items.delete(object.metadata.uid) : this.take(object);
    if (changed) this.options.onChange();
  };

  private take(object: KubeObject): boolean {
    const { uid } = object.metadata;
    const item = this.options.parse(object);
    if (item === undefined) return this.items.delete(uid);
    const before = this.items.get(uid);
    // kubelets write a pod's status again and again without saying anything that counts here
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(item)) return false;
    this.items.set(uid, item);
    return true;
  }

  /** @returns how long to wait */
  private failed(error: ClusterError): number {
    const { log, clock } = this.host;
    if (error.isGone) {
      log.debug({ source: this.status.source, reason: error.message }, 'the watch is too old, everything is listed again');
      return this.backoff.nextMs();
    }
    if (error.status === 404) {
      this.versions = [...this.versions.slice(1), this.versions[0]!];
      if (this.options.isOptional === true) return this.missing();
    }
    const waitMs = this.backoff.nextMs(error.retryAfterMs);
    const problem = clusterProblem(this.options.target, error);
    this.state.failed(problem.what);
    if (this.told === problem.what && clock.nowMs() - this.toldAtMs < TELL_AGAIN_MS) return waitMs;
    this.told = problem.what;
    this.toldAtMs = clock.nowMs();
    const serving = this.isSynced ? 'what is known stays in use' : 'nothing is known yet';
    log.warn(
      { code: problem.code, source: this.status.source, retryMs: Math.round(waitMs) },
      `${formatProblem(problem)}; ${serving}`,
    );
    return waitMs;
  }

  /** The kind is not installed, and need not be. */
  private missing(): number {
    const changed = this.items.size > 0 || !this.isSynced;
    this.items.clear();
    this.state.synced();
    this.state.followed();
    if (changed) this.options.onChange();
    return this.backoff.nextMs(OPTIONAL_LONGEST_MS);
  }
}

/** Remembers how far a watch has come. */
class Follower implements WatchListener {
  public hasSaid = false;

  public constructor(
    public place: string,
    public readonly onOpen: () => void,
    private readonly forward: WatchListener['onEvent'],
  ) {}

  public onEvent(type: Parameters<WatchListener['onEvent']>[0], object: KubeObject): void {
    this.hasSaid = true;
    this.forward(type, object);
    this.place = object.metadata.resourceVersion;
  }
}

function describeTarget(target: WatchTarget): string {
  const { namespace, name, labelSelector } = target;
  const which = name === undefined ? (labelSelector ?? '') : `/${name}`;
  return `${resourceName(target)} ${namespace}${which === '' || name !== undefined ? which : ` ${which}`}`;
}
