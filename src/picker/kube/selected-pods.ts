import type { EndpointSink } from '../datastore/pool-endpoints';
import type { SourceStatus } from '../discovery/endpoint-discovery';
import { labelSelector, type PodSelection } from './inference-pool';
import type { KubeSources } from './kube-sources';
import type { PodSubscription } from './pod-watches';
import { podEndpoints } from './pods';

/** Changes within this time reach the store together: a rollout of a thousand pods is many events and few changes. */
const GATHER_MS = 20;

/** Keeps a store filled with the pods of a selection, which may itself change. */
export class SelectedPods {
  private selector: string | undefined;
  /** Ports that are served, and those of the latest selection: they differ while its pods are not known yet. */
  private ports: readonly number[] = [];
  private wantedPorts: readonly number[] = [];
  private current: PodSubscription | undefined;
  /** Of the selector that takes over as soon as its pods are known; until then those of the old one are served. */
  private next: PodSubscription | undefined;
  private readonly aborter = new AbortController();
  private isGathering = false;
  private hasSynced = false;

  public constructor(
    private readonly sources: KubeSources,
    private readonly namespace: string,
    private readonly store: EndpointSink,
    private readonly onSynced: () => void,
  ) {}

  public select({ matchLabels, ports }: PodSelection): void {
    const selector = labelSelector(matchLabels);
    this.wantedPorts = ports;
    if (selector === this.selector) {
      if (this.next === undefined) this.ports = ports;
      this.gather();
      return;
    }
    this.selector = selector;
    this.next?.release();
    const next = this.sources.pods.subscribe(this.namespace, matchLabels, () => {
      if (this.next === next) {
        this.current?.release();
        this.current = next;
        this.next = undefined;
        this.ports = this.wantedPorts;
      }
      this.gather();
    });
    this.next = next;
  }

  /** No pods from here on. */
  public clear(): void {
    this.release();
    this.publish();
  }

  public stop(): void {
    this.release();
    this.aborter.abort();
  }

  public statuses(): SourceStatus[] {
    return [this.current, this.next].flatMap((subscription) => (subscription === undefined ? [] : [subscription.status]));
  }

  private release(): void {
    this.current?.release();
    this.next?.release();
    this.current = undefined;
    this.next = undefined;
    this.selector = undefined;
  }

  private gather(): void {
    if (this.current === undefined || this.isGathering) return;
    // who waits for the first endpoints waits no longer
    if (!this.hasSynced) {
      this.publish();
      return;
    }
    this.isGathering = true;
    this.sources.host.delay(GATHER_MS, this.aborter.signal).then(
      () => this.publish(),
      () => undefined,
    );
  }

  private publish(): void {
    this.isGathering = false;
    this.store.replaceAll(podEndpoints(this.current?.pods() ?? [], this.ports));
    if (this.hasSynced || this.current === undefined) return;
    this.hasSynced = true;
    this.onSynced();
  }
}
