import { randomBytes } from 'node:crypto';
import type { PickerPolicy, PolicyIdentity, RedisStore as RedisSettings } from '../../picker-config/picker-policy';
import { EMPTY_PICKER_POLICY } from '../../picker-config/picker-policy';
import { type Clock, epochClock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import { BudgetAdmission } from '../director/budget-admission';
import { GatewayLimits } from '../director/gateway-limits';
import { ApiKeyIdentity } from '../identity/api-key-identity';
import { HeaderIdentity } from '../identity/header-identity';
import type { Identity } from '../identity/identity';
import { JwtIdentity } from '../identity/jwt/jwt-identity';
import { MetadataIdentity } from '../identity/metadata-identity';
import { ModelAccess } from '../identity/model-access';
import { type Logger, logProblems } from '../telemetry/log';
import { Budgets } from '../tokens/budgets';
import { MemoryStore } from '../tokens/memory-store';
import { RedisStore } from '../tokens/redis/redis-store';
import { SnapshotFile } from '../tokens/snapshot-file';

/** How often keys that are not used any more are forgotten. */
const SWEEP_INTERVAL_MS = 30_000;
/** How long a store that the policy no longer names is kept for the requests that began with it. */
const OLD_STORE_MS = 15 * 60_000;

/** One that reads files. */
interface WatchingIdentity extends Identity {
  start?(): readonly Problem[];
  stop?(): void;
}

/** The sections identity, limits and store of the policy, at work. */
export class ClientsAndBudgets {
  public readonly budgets: Budgets;
  public readonly admission: BudgetAdmission;
  private readonly memoryStore: MemoryStore;
  private readonly pickerId = randomBytes(6).toString('hex');
  private readonly sweeper: NodeJS.Timeout;
  /** Whether clients are known by what the gateway's filters say of a request. */
  public readsMetadata = false;
  private identityKey = '';
  private storeKey = '';
  private stopIdentity: (() => void) | undefined;
  private redis: RedisStore | undefined;
  private snapshotFile: string | undefined;
  private snapshot: SnapshotFile | undefined;
  private isFirstPolicy = true;

  public constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {
    // windows begin where those of the process before began
    this.budgets = new Budgets(epochClock, this.pickerId);
    this.memoryStore = new MemoryStore(this.budgets.memory, this.budgets.metrics);
    this.admission = new BudgetAdmission(this.budgets, this.memoryStore, log);
    this.sweeper = setInterval(() => this.budgets.memory.sweep(this.budgets.rules), SWEEP_INTERVAL_MS);
    this.sweeper.unref();
  }

  /** Follows this policy from here on, or says why it cannot and changes nothing. Counters of limits that stay are kept. */
  public use(policy: PickerPolicy = EMPTY_PICKER_POLICY): readonly Problem[] {
    const file = policy.store?.memory?.file;
    const snapshot = this.snapshotFor(file);
    const problems = [snapshot?.problem() ?? []].flat();
    if (problems.length === 0) problems.push(...this.useIdentity(policy));
    if (problems.length > 0) return problems;
    this.admission.access = policy.access === undefined ? undefined : new ModelAccess(policy);
    this.useStore(policy.store?.redis);
    const { limits, models } = policy;
    this.budgets.use({ limits: limits.filter(({ enforcedBy }) => enforcedBy !== 'gateway'), models });
    this.admission.gatewayLimits = new GatewayLimits(limits, models);
    this.useSnapshot(file, snapshot);
    this.isFirstPolicy = false;
    return [];
  }

  public async stop(): Promise<void> {
    clearInterval(this.sweeper);
    this.stopIdentity?.();
    await Promise.all([this.redis?.close(), this.snapshot?.stop()]);
  }

  private snapshotFor(file: string | undefined): SnapshotFile | undefined {
    if (file === this.snapshotFile) return this.snapshot;
    return file === undefined
      ? undefined
      : new SnapshotFile(file, { budgets: this.budgets.memory, log: this.log, clock: epochClock });
  }

  private useSnapshot(file: string | undefined, snapshot: SnapshotFile | undefined): void {
    if (snapshot === this.snapshot) return;
    void this.snapshot?.stop();
    this.snapshotFile = file;
    this.snapshot = snapshot;
    // what has been counted since the start is newer than any file
    if (this.isFirstPolicy) snapshot?.restore();
    snapshot?.start();
  }

  private useIdentity({ identity, limits }: PickerPolicy): readonly Problem[] {
    const claims = limits.flatMap(({ key }) => (key.source === 'claim' ? [key.name!] : []));
    const key = JSON.stringify([identity, claims]);
    if (key === this.identityKey) return [];
    const made = this.identityFor(identity, claims);
    const problems = made?.start?.() ?? [];
    if (problems.length > 0) return problems;
    this.admission.identity = made;
    this.stopIdentity?.();
    this.stopIdentity = () => made?.stop?.();
    this.identityKey = key;
    this.readsMetadata = identity?.source === 'metadata';
    return [];
  }

  private identityFor(identity: PolicyIdentity | undefined, claims: readonly string[]): WatchingIdentity | undefined {
    const onChange = (count: number, problems: readonly Problem[]): void => this.tellOfKeys(count, problems);
    switch (identity?.source) {
      case 'apiKeys':
        return new ApiKeyIdentity(identity.directory, identity.header, onChange);
      case 'jwt':
        return new JwtIdentity(identity, claims, onChange);
      case 'metadata':
        return new MetadataIdentity(identity);
      case 'header':
        return new HeaderIdentity(identity.clientHeader, identity.tenantHeader, identity.removeHeaders);
      default:
        return undefined;
    }
  }

  private useStore(store: RedisSettings | undefined): void {
    const key = JSON.stringify(store);
    if (key === this.storeKey) return;
    const before = this.redis;
    const { budgets, log, clock } = this;
    this.redis = store === undefined ? undefined : new RedisStore(store, { budgets, log, clock, pickerId: this.pickerId });
    this.admission.store = this.redis ?? this.memoryStore;
    this.budgets.memory.divisor = 1;
    // requests under way settle where they were set aside
    if (before !== undefined) setTimeout(() => void before.close(), OLD_STORE_MS).unref();
    this.storeKey = key;
  }

  private tellOfKeys(keys: number, problems: readonly Problem[]): void {
    logProblems(this.log, 'a key of clients does not count', problems);
    this.log.info({ keys }, 'the keys of clients have changed');
  }
}
