import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import type { RandomSource } from '../../shared/random';
import type { ModelRewrites } from '../datastore/model-rewrites';
import type { Objectives } from '../datastore/objectives';
import type { EndpointSink } from '../datastore/pool-endpoints';
import { DnsDiscovery } from '../discovery/dns-discovery';
import type { EndpointDiscovery, SourceStatus } from '../discovery/endpoint-discovery';
import { FileDiscovery } from '../discovery/file-discovery';
import { connectCluster } from '../kube/cluster-client';
import { KubeSources } from '../kube/kube-sources';
import { LlmdPolicies } from '../kube/llmd-policies';
import { PoolDiscovery } from '../kube/pool-discovery';
import { SelectorDiscovery } from '../kube/selector-discovery';
import { realDelay } from '../kube/watch-host';
import type { Logger } from '../telemetry/log';
import type { DiscoverySettings } from './pool-plan';

export interface DiscoveryHost {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** A pool whose endpoints are wanted. */
export interface WantedPool {
  readonly discovery: DiscoverySettings;
  readonly endpoints: EndpointSink;
}

/** Where llm-d's objects of the cluster go; only a pool that has no policy heeds them. */
export interface LlmdStores {
  readonly objectives: Objectives;
  readonly rewrites: ModelRewrites;
}

/** Finds the endpoints of all pools, over one connection to the cluster where one is needed. */
export class Discoveries {
  private readonly discoveries: readonly EndpointDiscovery[];
  private readonly policies: readonly LlmdPolicies[];

  /** @param llmd @default llm-d's objects are not looked at */
  public static async open(
    pools: readonly WantedPool[],
    host: DiscoveryHost,
    llmd?: LlmdStores,
  ): Promise<Discoveries | { readonly problem: Problem }> {
    const needsCluster = pools.some(({ discovery: { kind } }) => kind === 'inferencePool' || kind === 'selector');
    if (!needsCluster) return new Discoveries(pools, host, undefined, undefined);
    const connected = await connectCluster();
    if ('problem' in connected) return connected;
    return new Discoveries(pools, host, new KubeSources({ ...host, ...connected, delay: realDelay }), llmd);
  }

  private constructor(
    pools: readonly WantedPool[],
    private readonly host: DiscoveryHost,
    kube: KubeSources | undefined,
    llmd: LlmdStores | undefined,
  ) {
    this.discoveries = pools.map((pool) => this.make(pool, kube));
    this.policies = pools.flatMap(({ discovery }) =>
      llmd === undefined || discovery.kind !== 'inferencePool'
        ? []
        : [new LlmdPolicies(kube!.host, discovery, llmd.objectives, llmd.rewrites)],
    );
  }

  /** @param onSynced called once, when the endpoints of every pool are known @returns why they cannot be found */
  public start(onSynced: () => void): readonly Problem[] {
    let missing = this.discoveries.length;
    const problems = this.discoveries.flatMap((discovery) =>
      discovery.start(() => {
        if (--missing === 0) onSynced();
      }),
    );
    for (const policies of this.policies) policies.start();
    return problems;
  }

  public stop(): void {
    for (const part of [...this.discoveries, ...this.policies]) part.stop();
  }

  public statuses(): SourceStatus[] {
    return [...this.discoveries, ...this.policies].flatMap((part) => part.statuses());
  }

  private make({ discovery, endpoints }: WantedPool, kube: KubeSources | undefined): EndpointDiscovery {
    const { log, clock } = this.host;
    switch (discovery.kind) {
      case 'file':
        return new FileDiscovery(discovery, endpoints, log, clock);
      case 'dns':
        return new DnsDiscovery(discovery, endpoints, log, clock);
      case 'inferencePool':
        return new PoolDiscovery(kube!, discovery, endpoints);
      case 'selector':
        return new SelectorDiscovery(kube!, discovery.namespace, discovery, endpoints);
    }
  }
}
