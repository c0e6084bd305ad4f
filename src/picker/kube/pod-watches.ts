import type { SourceStatus } from '../discovery/endpoint-discovery';
import { labelSelector } from './inference-pool';
import { type Pod, parsePod } from './pods';
import { ResourceWatch } from './resource-watch';
import type { WatchHost } from './watch-host';

/** The pods that one selector names, for one of those who want them. */
export interface PodSubscription {
  /** The pods were listed once. */
  readonly isSynced: boolean;
  readonly status: SourceStatus;
  pods(): Iterable<Pod>;
  release(): void;
}

interface SharedWatch {
  readonly watch: ResourceWatch<Pod>;
  readonly listeners: Set<() => void>;
}

/** Pods by namespace and labels. Pools that select the same pods share one watch, which ends with the last of them. */
export class PodWatches {
  private readonly shared = new Map<string, SharedWatch>();

  public constructor(private readonly host: WatchHost) {}

  /** @param onChange called after every change, and after the first list; not before this returns */
  public subscribe(namespace: string, matchLabels: Readonly<Record<string, string>>, onChange: () => void): PodSubscription {
    const selector = labelSelector(matchLabels);
    const key = `${namespace} ${selector}`;
    const known = this.shared.get(key);
    const { watch, listeners } = known ?? this.begin(key, namespace, selector);
    // each subscriber has a function of its own, so that the same one may subscribe twice
    const listener = (): void => onChange();
    listeners.add(listener);
    if (known !== undefined && watch.isSynced) queueMicrotask(() => listeners.has(listener) && onChange());
    return {
      get isSynced() {
        return watch.isSynced;
      },
      get status() {
        return watch.status;
      },
      pods: () => watch.items.values(),
      release: () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        this.shared.delete(key);
        watch.stop();
      },
    };
  }

  private begin(key: string, namespace: string, selector: string): SharedWatch {
    const listeners = new Set<() => void>();
    const watch = new ResourceWatch<Pod>(this.host, {
      target: { group: '', version: 'v1', resource: 'pods', namespace, labelSelector: selector },
      parse: parsePod,
      onChange: () => {
        for (const listener of [...listeners]) listener();
      },
    });
    const shared = { watch, listeners };
    this.shared.set(key, shared);
    watch.start();
    return shared;
  }
}
