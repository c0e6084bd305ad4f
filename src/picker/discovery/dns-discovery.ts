import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import type { EndpointSink } from '../datastore/pool-endpoints';
import { formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import type { Logger } from '../telemetry/log';
import type { EndpointDiscovery, SourceStatus } from './endpoint-discovery';
import { HostNames, type ResolveHost, systemResolver } from './host-names';
import { SourceState } from './source-state';

export interface DnsDiscoveryOptions {
  /** For example that of a headless Service, which has an address for every ready pod. */
  readonly host: string;
  /** Ports of every address. */
  readonly ports: readonly number[];
  /** How often the name is resolved again; the DNS of a cluster lets answers live for 5 to 30 seconds. @default 5000 */
  readonly resolveIntervalMs?: number;
  /** @default the system's resolver */
  readonly resolve?: ResolveHost;
}

const DEFAULT_RESOLVE_INTERVAL_MS = 5_000;

/**
 * Fills a store with an endpoint at every address and port of a host name. A name that cannot be resolved any more keeps its last addresses:
 * a headless Service without ready pods and a broken DNS look the same.
 */
export class DnsDiscovery implements EndpointDiscovery {
  private readonly state: SourceState;
  private names: HostNames | undefined;
  private onSynced: (() => void) | undefined;

  public constructor(
    private readonly options: DnsDiscoveryOptions,
    private readonly store: EndpointSink,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    clock: Clock,
  ) {
    this.state = new SourceState(`dns ${options.host}`, clock);
  }

  public start(onSynced: () => void): readonly Problem[] {
    this.onSynced = onSynced;
    const { host, resolve = systemResolver, resolveIntervalMs = DEFAULT_RESOLVE_INTERVAL_MS } = this.options;
    const listener = {
      onChange: () => this.publish(),
      onFailure: (_: string, reason: string) => {
        this.state.failed(reason);
        this.log.warn({ host, reason }, 'a host name cannot be resolved, its last addresses stay');
        this.answered();
      },
      onRecovery: () => {
        this.state.followed();
        this.log.info({ host }, 'a host name can be resolved again');
      },
    };
    this.names = new HostNames(resolve, listener, resolveIntervalMs);
    this.names.want([host]);
    return [];
  }

  public stop(): void {
    this.names?.close();
  }

  public statuses(): readonly SourceStatus[] {
    return [this.state.status];
  }

  private publish(): void {
    const { host, ports } = this.options;
    const addresses = this.names!.addressesOf(host);
    this.state.synced();
    this.state.followed();
    this.store.replaceAll(
      addresses.flatMap((address) =>
        ports.map((port, rank) => ({
          name: `${address}-rank-${rank}`,
          address,
          port,
          labels: {},
          ready: true,
          hostPort: formatHostPort(address, port),
        })),
      ),
    );
    this.answered();
  }

  /** Any first answer counts: a Service without ready pods has no address, and must not keep the picker's other pools waiting. */
  private answered(): void {
    this.onSynced?.();
    this.onSynced = undefined;
  }
}
