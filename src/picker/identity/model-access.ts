import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { VerifiedClient } from './identity';

/** Which models a client may know of, by the lists of the policy. */
export class ModelAccess {
  private readonly clients: ReadonlyMap<string, ReadonlySet<string>>;
  private readonly tenants: ReadonlyMap<string, ReadonlySet<string>>;
  private readonly others: ReadonlySet<string>;

  /** @param policy has a section `access` */
  public constructor(policy: Pick<PickerPolicy, 'access' | 'models'>) {
    // a model is known by its own name, whichever alias the list or the request uses
    const owner = new Map(policy.models.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)));
    const setOf = (names: readonly string[]): ReadonlySet<string> => new Set(names.map((name) => owner.get(name) ?? name));
    const setsOf = (lists: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, ReadonlySet<string>> =>
      new Map(Object.entries(lists).map(([name, models]) => [name, setOf(models)]));
    const { clients, tenants, others } = policy.access!;
    this.clients = setsOf(clients);
    this.tenants = setsOf(tenants);
    this.others = setOf(others);
  }

  /** What the client's own list or that of its tenant names; the list of the others for who is in neither. */
  public mayUse(client: VerifiedClient | undefined, model: string): boolean {
    const own = client === undefined ? undefined : this.clients.get(client.id);
    const shared = client?.tenant === undefined ? undefined : this.tenants.get(client.tenant);
    if (own === undefined && shared === undefined) return this.others.has(model);
    return own?.has(model) === true || shared?.has(model) === true;
  }
}
