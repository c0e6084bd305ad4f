import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../shared/clock';
import type { RandomSource } from '../../shared/random';
import type { EndpointStore } from '../datastore/endpoint-store';
import { HostNames, type ResolveHost, systemResolver } from '../discovery/host-names';
import { formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import type { Scheduler } from '../scheduling/scheduler';
import type { Logger } from '../telemetry/log';
import { EndpointKeys } from './endpoint-keys';
import { OwnCounts } from './own-counts';
import { PeerClient } from './peer-client';
import { PeerCounts } from './peer-counts';
import { PeerServer } from './peer-server';
import { PeerTraffic } from './peer-traffic';
import { PrefixShare } from './prefix-share';
import { ID_BYTES } from './wire-format';

/** Where another replica may be. */
export interface PeerAddress {
  /** A name with an address for each replica, or an address. */
  readonly host: string;
  readonly port: number;
}

export interface PeerSettings {
  readonly addresses: readonly PeerAddress[];
  /** Port that this replica listens on. */
  readonly port: number;
  /** @default anybody who reaches the port is believed */
  readonly secret: Buffer | undefined;
}

export interface PeerHost {
  readonly store: EndpointStore;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** @default the system's resolver */
  readonly resolve?: ResolveHost;
}

/** How often changes are told: what others sent in the meantime, a replica does not know. */
const ROUND_MS = 50;
/** How often names are resolved again; the DNS of a cluster lets answers live for 5 to 30 seconds. */
const RESOLVE_MS = 5_000;
/** Addresses that are connected to. */
const MAX_PEERS = 64;

/**
 * Lets the replicas of a picker know what the others have under way, and which prompts went where. Each replica tells all others over a
 * connection of its own and hears them over theirs. Nothing depends on it: a replica that hears nobody chooses as if it were alone.
 */
export class PeerExchange {
  public readonly id = randomBytes(ID_BYTES);
  public readonly traffic: PeerTraffic;
  public readonly counts: PeerCounts;
  public readonly prefixes: PrefixShare;
  public readonly server: PeerServer;
  public readonly clients = new Map<string, PeerClient>();
  private readonly keys = new EndpointKeys();
  private readonly own: OwnCounts;
  private readonly names: HostNames;
  /** Which connection goes to which replica. */
  private readonly claims = new Map<string, PeerClient>();
  private timer: NodeJS.Timeout | undefined;

  public constructor(
    private readonly settings: PeerSettings,
    private readonly host: PeerHost,
  ) {
    const { store, log, clock } = host;
    this.own = new OwnCounts(this.keys);
    this.counts = new PeerCounts(this.keys);
    this.prefixes = new PrefixShare(this.keys, clock);
    this.traffic = new PeerTraffic((reason, detail) => log.debug({ reason, detail }, 'a connection between replicas ended'));
    this.server = new PeerServer({
      id: this.id,
      secret: settings.secret,
      counts: this.counts,
      traffic: this.traffic,
      clock,
      table: () => store.snapshot.table,
      onPrefix: (frame) => this.prefixes.learn(store.snapshot, frame),
    });
    this.keys.follow(store.snapshot);
    store.onChange((snapshot) => {
      this.keys.follow(snapshot);
      this.own.forgetLeft();
      this.counts.refresh(snapshot, clock.nowMs(), true);
    });
    const listener = {
      onChange: () => this.connect(),
      onFailure: (name: string, reason: string) => log.info({ name, reason }, 'no address of other replicas'),
      onRecovery: (name: string) => log.info({ name }, 'addresses of other replicas are known'),
    };
    this.names = new HostNames(host.resolve ?? systemResolver, listener, RESOLVE_MS);
  }

  /** Follows this scheduler's prefix caches from here on. */
  public use(scheduler: Scheduler): void {
    this.prefixes.use(scheduler.prefixes);
  }

  /** Begins to look for the others, once the port is open. */
  public start(): void {
    this.names.want(this.settings.addresses.map(({ host }) => host).filter((host) => isIP(host) === 0));
    this.connect();
    this.timer = setInterval(() => this.round(), ROUND_MS);
    this.timer.unref();
  }

  public stop(): void {
    clearInterval(this.timer);
    this.names.close();
    this.server.close();
    for (const client of this.clients.values()) client.close();
    this.prefixes.use(new Map());
  }

  /** Has a connection to every address that there is, and to no other. */
  private connect(): void {
    const wanted = new Map(
      this.settings.addresses
        .flatMap(({ host, port }) =>
          (isIP(host) === 0 ? this.names.addressesOf(host) : [host]).map((address) => ({ address, port })),
        )
        .slice(0, MAX_PEERS)
        .map(({ address, port }) => [formatHostPort(address, port), { address, port }] as const),
    );
    for (const [key, client] of this.clients) {
      if (wanted.has(key)) continue;
      client.close();
      this.clients.delete(key);
    }
    for (const [key, { address, port }] of wanted) {
      if (!this.clients.has(key)) this.clients.set(key, new PeerClient(address, port, this.clientParts()));
    }
  }

  private clientParts(): ConstructorParameters<typeof PeerClient>[2] {
    const { claims, traffic } = this;
    return {
      id: this.id,
      secret: this.settings.secret,
      traffic,
      random: this.host.random,
      claim: (peerId, client) => {
        if (claims.has(peerId)) return false;
        claims.set(peerId, client);
        traffic.sending = claims.size;
        return true;
      },
      release: (peerId, client) => {
        if (claims.get(peerId) === client) claims.delete(peerId);
        traffic.sending = claims.size;
      },
    };
  }

  private round(): void {
    const { snapshot } = this.host.store;
    const nowMs = this.host.clock.nowMs();
    this.counts.refresh(snapshot, nowMs, false);
    const round = this.own.look(snapshot);
    const prefixes = this.prefixes.take();
    for (const client of this.claims.values()) client.tell(round, (since) => this.own.since(since), prefixes, nowMs);
  }
}
