import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { didYouMean } from './nearest-name';
import type { PickerPolicy, PolicyIdentity, PolicyModel } from './picker-policy';

/**
 * What the parts of a policy must agree on. Constructs call it on a policy that they built; the parser on one it read.
 * @param locate turns a path such as `models[0].targets[1].pool` into the place that a message names
 */
export function checkPolicy(policy: PickerPolicy, locate: (path: string) => string): Problem[] {
  const checks = new PolicyChecks(policy, locate);
  checks.names();
  checks.references();
  checks.weights();
  checks.stickiness();
  checks.fallbackCycles();
  checks.access();
  checks.limits();
  return checks.problems;
}

class PolicyChecks {
  public readonly problems: Problem[] = [];
  private readonly poolNames: Set<string>;
  /** Every name that a client may write in `model`. */
  private readonly modelNames = new Set<string>();

  public constructor(
    private readonly policy: PickerPolicy,
    private readonly locate: (path: string) => string,
  ) {
    this.poolNames = new Set(policy.pools.map(({ name }) => name));
  }

  public names(): void {
    this.unique('pools', this.policy.pools, ({ name }) => name, 'two pools have the same name');
    this.unique('limits', this.policy.limits, ({ name }) => name, 'two limits have the same name');
    const bands = this.policy.priorities?.bands ?? [];
    this.unique('priorities.bands', bands, ({ name }) => name, 'two bands have the same name');
    this.unique('priorities.bands', bands, ({ priority }) => priority, 'two bands have the same priority');
    this.checkPriorities();
    this.policy.models.forEach((model, i) => {
      this.claimModelName(model.name, `models[${i}].name`);
      model.aliases.forEach((alias, j) => {
        this.claimModelName(alias, `models[${i}].aliases[${j}]`);
      });
      model.adapters.forEach((adapter, j) => {
        this.claimModelName(adapter.name, `models[${i}].adapters[${j}].name`);
      });
    });
  }

  public references(): void {
    const { pools, models, classes, defaultModel, access, limits } = this.policy;
    pools.forEach(({ fallbackPool }, i) => {
      this.expectPool(fallbackPool, `pools[${i}].fallbackPool`);
    });
    models.forEach((model, i) => {
      this.expectPool(model.fallbackPool, `models[${i}].fallbackPool`);
      model.targets.forEach(({ pool }, j) => {
        this.expectPool(pool, `models[${i}].targets[${j}].pool`);
      });
    });
    this.expectModel(defaultModel, 'defaultModel');
    for (const [value, model] of Object.entries(classes?.values ?? {})) this.expectModel(model, `classes.values.${value}`);
    limits.forEach((limit, i) => {
      limit.models?.forEach((model, j) => {
        this.expectModel(model, `limits[${i}].models[${j}]`);
      });
    });
    const lists = [
      ...Object.entries(access?.clients ?? {}).map(([name, list]) => [`access.clients.${name}`, list] as const),
      ...Object.entries(access?.tenants ?? {}).map(([name, list]) => [`access.tenants.${name}`, list] as const),
      ['access.others', access?.others ?? []] as const,
    ];
    for (const [path, list] of lists) {
      list.forEach((model, j) => {
        this.expectModel(model, `${path}[${j}]`);
      });
    }
  }

  public access(): void {
    const { access, identity } = this.policy;
    if (access === undefined) return;
    const isPerTenant = Object.keys(access.tenants).length > 0;
    if (identity !== undefined && (!isPerTenant || hasTenant(identity))) return;
    const what =
      identity === undefined
        ? 'nothing verifies the clients that access names'
        : 'identity does not name the tenants that access names';
    this.fault('access', ConfigCode.UNVERIFIED_KEY, what, {
      value: identity === undefined ? 'no identity' : `identity.source: ${identity.source}`,
      fix: identity === undefined ? 'add the section identity' : 'name tenants in identity, or list their clients',
    });
  }

  /** All or none: a target without a weight beside weighted ones would never be chosen, and nothing would say so. */
  public weights(): void {
    this.policy.models.forEach(({ name, targets }, i) => {
      const weighted = targets.filter(({ weight }) => weight !== undefined);
      if (weighted.length > 0 && weighted.length < targets.length) {
        this.fault(`models[${i}].targets`, ConfigCode.PARTIAL_WEIGHTS, `only some targets of model '${name}' have a weight`, {
          value: `${weighted.length} of ${targets.length}`,
          fix: 'give every target a weight, or none',
        });
      } else if (weighted.length > 0 && weighted.every(({ weight }) => weight === 0)) {
        this.fault(`models[${i}].targets`, ConfigCode.PARTIAL_WEIGHTS, `all targets of model '${name}' have the weight 0`, {
          fix: 'give one target a weight above 0',
        });
      }
    });
  }

  public stickiness(): void {
    if (this.policy.identity !== undefined) return;
    this.policy.models.forEach(({ name, stickiness }, i) => {
      if (stickiness?.source !== 'client') return;
      const what = `model '${name}' keeps clients at their target, and nothing says who a request is from`;
      this.fault(`models[${i}].stickiness`, ConfigCode.UNVERIFIED_KEY, what, {
        value: 'no identity',
        fix: 'add the section identity, or go by a header',
      });
    });
  }

  public fallbackCycles(): void {
    const next = new Map(this.policy.pools.map(({ name, fallbackPool }) => [name, fallbackPool]));
    const reported = new Set<string>();
    this.policy.pools.forEach(({ name }, i) => {
      const path = [name];
      for (let pool = next.get(name); pool !== undefined && !reported.has(pool); pool = next.get(pool)) {
        path.push(pool);
        if (pool !== name) {
          // a circle that this pool only leads to is reported at a pool of the circle
          if (path.indexOf(pool) < path.length - 1) return;
          continue;
        }
        for (const member of path) reported.add(member);
        this.fault(`pools[${i}].fallbackPool`, ConfigCode.FALLBACK_CYCLE, 'the fallback pools form a circle', {
          value: path.join(' -> '),
          fix: 'let the last pool have no fallback',
        });
        return;
      }
    });
    this.policy.models.forEach((model, i) => {
      if (model.fallbackPool !== undefined && model.targets.some(({ pool }) => pool === model.fallbackPool)) {
        this.fallbackIsTarget(model, i);
      }
    });
  }

  public limits(): void {
    const { identity, limits } = this.policy;
    const needs: Readonly<Record<string, readonly string[]>> = {
      client: ['header', 'metadata', 'apiKeys', 'jwt'],
      tenant: ['header', 'metadata', 'jwt'],
      claim: ['jwt'],
      apiKey: ['apiKeys'],
    };
    limits.forEach((limit, i) => {
      const sources = needs[limit.key.source];
      if (sources !== undefined && !sources.includes(identity?.source ?? '')) {
        this.fault(
          `limits[${i}].key`,
          ConfigCode.UNVERIFIED_KEY,
          `limit '${limit.name}' counts by '${limit.key.source}', which nothing verifies`,
          {
            value: identity === undefined ? 'no identity' : `identity.source: ${identity.source}`,
            allowed: `identity.source: ${sources.join(', ')}`,
            fix: 'add that identity, or count by model, pool, all or a header that your gateway overwrites',
          },
        );
        return;
      }
      if (limit.key.source === 'tenant' && identity !== undefined && !hasTenant(identity)) {
        this.fault(
          `limits[${i}].key`,
          ConfigCode.UNVERIFIED_KEY,
          `limit '${limit.name}' counts by 'tenant', which identity does not name`,
          {
            fix: identity?.source === 'jwt' ? 'set identity.tenantClaim' : 'set identity.tenantKey',
          },
        );
      }
      if (limit.weights.input === 0 && limit.weights.output === 0 && limit.weights.cached === 0) {
        this.fault(`limits[${i}].weights`, ConfigCode.BAD_VALUE, `limit '${limit.name}' counts nothing`, {
          fix: 'give a weight above 0',
        });
      }
    });
  }

  private checkPriorities(): void {
    const { priorities, identity } = this.policy;
    if (priorities === undefined) return;
    this.unique('priorities.tenants', priorities.tenants, ({ name }) => name, 'two tenants have the same name');
    priorities.bands.forEach(({ name, ordering, fairness }, i) => {
      if (ordering !== 'slo' || fairness !== 'none') return;
      const what = `in band '${name}' a header of the request would put it before the requests of others`;
      this.fault(`priorities.bands[${i}].ordering`, ConfigCode.BAD_VALUE, what, {
        value: 'ordering: slo with fairness: none',
        allowed: 'ordering: slo with fairness: attainedService or roundRobin',
        fix: 'remove fairness: none, so that the header orders the requests of one tenant only',
      });
    });
    if (priorities.tenants.length === 0 || identity !== undefined) return;
    this.fault(
      'priorities.tenants',
      ConfigCode.UNVERIFIED_KEY,
      'tenants have priorities, and nothing says who a request is from',
      {
        fix: 'add the section identity, or remove priorities.tenants',
      },
    );
  }

  private fallbackIsTarget({ name, fallbackPool }: PolicyModel, index: number): void {
    this.fault(
      `models[${index}].fallbackPool`,
      ConfigCode.FALLBACK_CYCLE,
      `the fallback pool of model '${name}' is one of its targets`,
      {
        value: fallbackPool,
        fix: 'name another pool, or remove it',
      },
    );
  }

  private claimModelName(name: string, path: string): void {
    if (this.modelNames.has(name)) {
      this.fault(path, ConfigCode.DUPLICATE_NAME, 'two models, aliases or adapters have the same name', {
        value: name,
        fix: 'rename one',
      });
    }
    this.modelNames.add(name);
  }

  private unique<T>(section: string, entries: readonly T[], key: (entry: T) => string | number, what: string): void {
    const seen = new Set<string | number>();
    entries.forEach((entry, index) => {
      const value = key(entry);
      if (seen.has(value))
        this.fault(`${section}[${index}]`, ConfigCode.DUPLICATE_NAME, what, { value, fix: 'rename or remove one' });
      seen.add(value);
    });
  }

  private expectPool(name: string | undefined, path: string): void {
    if (name === undefined || this.poolNames.has(name)) return;
    this.fault(path, ConfigCode.NO_SUCH_NAME, `there is no pool '${name}'`, {
      allowed: [...this.poolNames].join(', ') || 'nothing, because the section pools is empty',
      fix: `${didYouMean(name, this.poolNames)}add the pool, or correct the name`,
    });
  }

  private expectModel(name: string | undefined, path: string): void {
    if (name === undefined || this.modelNames.has(name)) return;
    this.fault(path, ConfigCode.NO_SUCH_NAME, `there is no model '${name}'`, {
      allowed: [...this.modelNames].slice(0, 20).join(', ') || 'nothing, because the section models is empty',
      fix: `${didYouMean(name, this.modelNames)}add the model, or correct the name`,
    });
  }

  private fault(path: string, code: string, what: string, facts: Omit<Problem, 'code' | 'what' | 'where'>): void {
    this.problems.push({ code, what, ...facts, where: this.locate(path) });
  }
}

function hasTenant(identity: PolicyIdentity): boolean {
  if (identity.source === 'metadata') return identity.tenantKey !== undefined;
  return identity.source === 'jwt' ? identity.tenantClaim !== undefined : identity.source === 'header';
}
