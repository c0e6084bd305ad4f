import type { PoolGroup } from '../../picker-config/picker-policy';
import { formatProblem, type Problem } from '../../shared/problem';
import type { EndpointSink } from '../datastore/pool-endpoints';
import type { EndpointDiscovery, SourceStatus } from '../discovery/endpoint-discovery';
import { ClusterCode } from './failures';
import { POOL_VERSIONS, type PodSelection, parseInferencePool } from './inference-pool';
import type { KubeSources } from './kube-sources';
import { ResourceWatch } from './resource-watch';
import { SelectedPods } from './selected-pods';

/** An InferencePool by its name. */
export interface PoolName {
  readonly name: string;
  readonly namespace: string;
  readonly group: PoolGroup;
}

/** Fills a store with the pods of an InferencePool, and follows the changes of both. */
export class PoolDiscovery implements EndpointDiscovery {
  private readonly watch: ResourceWatch<PodSelection>;
  private selected: SelectedPods | undefined;
  private complaint = '';

  public constructor(
    private readonly sources: KubeSources,
    private readonly pool: PoolName,
    private readonly store: EndpointSink,
  ) {
    const { name, namespace, group } = pool;
    const [version, ...otherVersions] = POOL_VERSIONS[group];
    this.watch = new ResourceWatch(sources.host, {
      target: { group, version, resource: 'inferencepools', namespace, name },
      otherVersions,
      parse: parseInferencePool,
      onChange: () => this.onPool(),
    });
  }

  public start(onSynced: () => void): readonly Problem[] {
    this.selected = new SelectedPods(this.sources, this.pool.namespace, this.store, onSynced);
    this.watch.start();
    return [];
  }

  public stop(): void {
    this.watch.stop();
    this.selected?.stop();
  }

  public statuses(): readonly SourceStatus[] {
    return [this.watch.status, ...(this.selected?.statuses() ?? [])];
  }

  private onPool(): void {
    const [selection] = this.watch.items.values();
    const problem = this.problemOf(selection);
    const { log } = this.sources.host;
    const where = `${this.pool.namespace}/${this.pool.name}`;
    if (problem === undefined) {
      if (this.complaint !== '') log.info({ pool: where }, 'the InferencePool can be used');
      this.complaint = '';
      log.debug({ pool: where, selection }, 'the InferencePool was read');
      this.selected!.select(selection!);
      return;
    }
    const complaint = formatProblem({ ...problem, where });
    if (complaint !== this.complaint) log.warn({ code: problem.code, pool: where }, complaint);
    this.complaint = complaint;
    this.selected!.clear();
  }

  private problemOf(selection: PodSelection | undefined): Omit<Problem, 'where'> | undefined {
    if (selection === undefined) {
      return {
        code: ClusterCode.NO_SUCH_POOL,
        what: `there is no InferencePool '${this.pool.name}' of group ${this.pool.group}, so there are no endpoints`,
        fix: 'create it, or correct --pool-name, --pool-namespace or --pool-group',
      };
    }
    const { matchLabels, ports } = selection;
    if (Object.keys(matchLabels).length > 0 && ports.length > 0) return undefined;
    const what =
      ports.length === 0
        ? 'the InferencePool has no port'
        : 'the InferencePool selects by no label, which would be every pod of its namespace';
    return { code: ClusterCode.UNUSABLE_POOL, what, fix: 'give it spec.selector and spec.targetPorts' };
  }
}
