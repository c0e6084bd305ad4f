/** What the picker reads of a Kubernetes object; everything else passes by. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** The objects that a watch is about: one kind, in one namespace, by label or by name. */
export interface WatchTarget {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in paths and in RBAC: `pods`. */
  readonly resource: string;
  readonly namespace: string;
  /** @default all */
  readonly labelSelector?: string;
  /** One object by its name: asked for as `metadata.name=`, which RBAC's `resourceNames` allows. @default all */
  readonly name?: string;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

/** Receives what a watch says. */
export interface WatchListener {
  /** The server has accepted the watch. */
  onOpen(): void;
  /** `object` of a bookmark has nothing but its resourceVersion. */
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', object: KubeObject): void;
}

/** The Kubernetes API as far as finding endpoints needs it. */
export interface ClusterWatch {
  /** All objects. @throws ClusterError */
  list(target: WatchTarget, signal: AbortSignal): Promise<ObjectList>;
  /**
   * Changes since a resourceVersion; resolves when the server ends the watch in order, or says nothing for too long.
   * @throws ClusterError
   */
  watch(target: WatchTarget, resourceVersion: string, listener: WatchListener, signal: AbortSignal): Promise<void>;
}

/** Why the API server did not do what it was asked. */
export class ClusterError extends Error {
  /**
   * @param status HTTP status; 0 when there was no answer
   * @param message the server's words, or the system's
   * @param retryAfterMs when the server wants to be asked again
   */
  public constructor(
    public readonly status: number,
    message: string,
    public readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** The resourceVersion is too old, or a list took too long to page through (HTTP 410, "Expired"). */
  public get isGone(): boolean {
    return this.status === 410;
  }
}

/** Path of the objects on the API server. */
export function targetPath({ group, version, resource, namespace }: WatchTarget): string {
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${base}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

/** `pods` or `inferencepools.inference.networking.k8s.io`, as RBAC and people write it. */
export function resourceName({ group, resource }: WatchTarget): string {
  return group === '' ? resource : `${resource}.${group}`;
}
