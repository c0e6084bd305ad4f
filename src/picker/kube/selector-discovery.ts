import type { Problem } from '../../shared/problem';
import type { EndpointSink } from '../datastore/pool-endpoints';
import type { EndpointDiscovery, SourceStatus } from '../discovery/endpoint-discovery';
import type { PodSelection } from './inference-pool';
import type { KubeSources } from './kube-sources';
import { SelectedPods } from './selected-pods';

/** Fills a store with the pods of a fixed label selector: no custom resource is needed. */
export class SelectorDiscovery implements EndpointDiscovery {
  private selected: SelectedPods | undefined;

  public constructor(
    private readonly sources: KubeSources,
    private readonly namespace: string,
    private readonly selection: PodSelection,
    private readonly store: EndpointSink,
  ) {}

  public start(onSynced: () => void): readonly Problem[] {
    this.selected = new SelectedPods(this.sources, this.namespace, this.store, onSynced);
    this.selected.select(this.selection);
    return [];
  }

  public stop(): void {
    this.selected?.stop();
  }

  public statuses(): readonly SourceStatus[] {
    return this.selected?.statuses() ?? [];
  }
}
