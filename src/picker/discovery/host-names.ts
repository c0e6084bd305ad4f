import { lookup } from 'node:dns/promises';
import { canonicalAddress } from './endpoints-file';

/** All addresses of a name. */
export type ResolveHost = (name: string) => Promise<readonly string[]>;

/** The system's resolver, which also knows /etc/hosts and the search domains of a cluster. */
export const systemResolver: ResolveHost = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

export interface HostNamesListener {
  /** Addresses of some name are others than before. */
  onChange(): void;
  onFailure(name: string, reason: string): void;
  onRecovery(name: string): void;
}

/** Addresses of host names, asked for again and again. A name that cannot be resolved keeps its last addresses. */
export class HostNames {
  private readonly addresses = new Map<string, readonly string[]>();
  private readonly failing = new Set<string>();
  private wanted: readonly string[] = [];
  private isBusy = false;
  private isClosed = false;
  private readonly timer: NodeJS.Timeout;

  public constructor(
    private readonly resolve: ResolveHost,
    private readonly listener: HostNamesListener,
    intervalMs: number,
  ) {
    this.timer = setInterval(() => void this.refresh(), intervalMs);
    this.timer.unref();
  }

  /** Empty until the name was resolved for the first time. In a fixed order, whatever the resolver's. */
  public addressesOf(name: string): readonly string[] {
    return this.addresses.get(name) ?? [];
  }

  /** The names to follow from here on; asked for at once. */
  public want(names: readonly string[]): void {
    this.wanted = [...new Set(names)];
    for (const known of [...this.addresses.keys(), ...this.failing]) {
      if (this.wanted.includes(known)) continue;
      this.addresses.delete(known);
      this.failing.delete(known);
    }
    void this.refresh();
  }

  public close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    let asked: readonly string[];
    do {
      asked = this.wanted;
      const changes = await Promise.all(asked.map((name) => this.refreshName(name)));
      if (!this.isClosed && changes.includes(true)) this.listener.onChange();
      // names that were wanted meanwhile are not left to the next round
    } while (!this.isClosed && asked !== this.wanted);
    this.isBusy = false;
  }

  private async refreshName(name: string): Promise<boolean> {
    try {
      const found = [...new Set((await this.resolve(name)).map(canonicalAddress))].sort();
      if (this.isClosed || !this.wanted.includes(name)) return false;
      if (this.failing.delete(name)) this.listener.onRecovery(name);
      const isSame = found.join() === this.addresses.get(name)?.join();
      this.addresses.set(name, found);
      return !isSame;
    } catch (error) {
      if (this.isClosed || !this.wanted.includes(name) || this.failing.has(name)) return false;
      this.failing.add(name);
      this.listener.onFailure(name, (error as Error).message);
      return false;
    }
  }
}
