import type { LimitSize } from '../limit-text';
import type { EnginePlan } from '../plan/engine-plans';
import type { Session } from '../run/session';

/** What the board shows at one moment. */
export interface BoardState {
  readonly kind: 'state';
  readonly at: string;
  readonly url: string;
  readonly proxy: 'envoy' | 'embedded';
  readonly pools: readonly PoolState[];
  readonly models: readonly ModelState[];
  readonly budgets: readonly BudgetState[];
  /** Newest first. */
  readonly decisions: readonly DecisionState[];
}

export interface PoolState {
  readonly name: string;
  readonly picker: string;
  readonly endpoints: readonly EndpointState[];
}

export interface EndpointState {
  readonly name: string;
  readonly address: string;
  readonly isRunning: boolean;
  /** Undefined while the picker does not know the endpoint. */
  readonly waiting?: number;
  readonly running?: number;
  readonly kvUsageRatio?: number;
  /** Requests that the picker sent there and that are not finished. */
  readonly inFlight?: number;
  readonly tokensPerSecond: number;
  /** Prompt tokens found in the prefix cache; undefined before any were asked for. */
  readonly prefixHitRatio?: number;
}

export interface ModelState {
  readonly name: string;
  readonly requests: number;
  readonly running: number;
  readonly errors: number;
}

/** One limit of a picker. */
export interface BudgetState extends LimitSize {
  readonly name: string;
  readonly picker: string;
  /** What it counts by. */
  readonly countedBy: string;
  /** Those who have used most of it; empty before anybody has. */
  readonly highest: readonly BudgetUse[];
}

export interface BudgetUse {
  readonly key: string;
  /** Of requests that are over and, estimated, of those under way. */
  readonly used: number;
  readonly remaining: number;
}

export interface DecisionState {
  readonly at: string;
  readonly model: string;
  /** Engine's name, or why there is none. */
  readonly result: string;
  /** Weighted scores of the engine that was chosen, where the decision was explained. */
  readonly why?: string;
}

interface EndpointPage {
  readonly endpoints: readonly {
    readonly hostPort: string;
    readonly waiting: number;
    readonly running: number;
    readonly kvUsageRatio: number;
    readonly inFlight: number;
  }[];
}

interface DecisionPage {
  readonly decisions: readonly {
    readonly at: string;
    readonly model: string;
    readonly result: string;
    readonly explanation?: readonly {
      readonly endpoint: string;
      readonly chosen?: number;
      readonly tied?: true;
      readonly scores: Readonly<Record<string, number>>;
      readonly weights: Readonly<Record<string, number>>;
    }[];
  }[];
}

interface LimitPage {
  readonly limits: readonly (LimitSize & {
    readonly name: string;
    readonly key: string;
    readonly highest: readonly BudgetUse[];
  })[];
}

const SHOWN_DECISIONS = 256;

/** Asks pickers and engines for what they tell everybody: debug pages and metrics. */
export class BoardWatch {
  private readonly tokens = new Map<EnginePlan, { atMs: number; total: number }>();
  private readonly names: ReadonlyMap<string, string>;

  public constructor(private readonly session: Session) {
    this.names = new Map(session.plan.engines.map((engine) => [`127.0.0.1:${session.portOf(engine)}`, engine.name]));
  }

  public async look(): Promise<BoardState> {
    const { session } = this;
    const pools: PoolState[] = [];
    const models = new Map<string, ModelState>();
    const budgets: BudgetState[] = [];
    const decisions: DecisionState[] = [];
    for (const { plan, ports } of session.pickers) {
      const [endpoints, made, limits, metrics] = await Promise.all([
        json<EndpointPage>(`http://127.0.0.1:${ports.debug}/debug/endpoints`),
        json<DecisionPage>(`http://127.0.0.1:${ports.debug}/debug/decisions`),
        json<LimitPage>(`http://127.0.0.1:${ports.debug}/debug/limits`),
        text(`http://127.0.0.1:${ports.metrics}/metrics`),
      ]);
      const known = new Map(endpoints?.endpoints.map((endpoint) => [endpoint.hostPort, endpoint]));
      for (const pool of plan.pools) {
        const states = await Promise.all(pool.engines.map((engine) => this.endpoint(engine, known)));
        pools.push({ name: pool.name, picker: plan.name, endpoints: states });
      }
      countModels(metrics, models);
      for (const limit of limits?.limits ?? []) budgets.push(budget(plan.name, limit));
      for (const decision of made?.decisions ?? []) decisions.push(this.decision(decision));
    }
    return {
      kind: 'state',
      at: new Date().toISOString(),
      url: session.url,
      proxy: session.proxy.kind,
      pools,
      models: [...models.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      budgets,
      decisions: decisions.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SHOWN_DECISIONS),
    };
  }

  private async endpoint(
    engine: EnginePlan,
    known: ReadonlyMap<string, EndpointPage['endpoints'][number]>,
  ): Promise<EndpointState> {
    const address = `127.0.0.1:${this.session.portOf(engine)}`;
    const isRunning = this.session.isRunning(engine);
    const seen = known.get(address);
    const page = isRunning ? await text(`http://${address}/metrics`) : '';
    const asked = sum(page, 'vllm:prefix_cache_queries_total');
    return {
      name: engine.name,
      address,
      isRunning,
      ...(seen === undefined
        ? {}
        : { waiting: seen.waiting, running: seen.running, kvUsageRatio: seen.kvUsageRatio, inFlight: seen.inFlight }),
      tokensPerSecond: this.speed(engine, sum(page, 'vllm:generation_tokens_total')),
      ...(asked === 0 ? {} : { prefixHitRatio: sum(page, 'vllm:prefix_cache_hits_total') / asked }),
    };
  }

  private speed(engine: EnginePlan, total: number): number {
    const atMs = Date.now();
    const before = this.tokens.get(engine);
    this.tokens.set(engine, { atMs, total });
    if (before === undefined || atMs === before.atMs || total < before.total) return 0;
    return Math.round(((total - before.total) * 1000) / (atMs - before.atMs));
  }

  private decision({ at, model, result, explanation }: DecisionPage['decisions'][number]): DecisionState {
    const [first] = result.split(',');
    const chosen = explanation?.find((entry) => entry.chosen === 1);
    const why =
      chosen && Object.entries(chosen.scores).map(([name, score]) => `${name} ${score.toFixed(2)}×${chosen.weights[name]}`);
    return {
      at,
      model,
      result: this.names.get(first!) ?? result,
      ...(why === undefined ? {} : { why: `${why.join(' + ')}${chosen?.tied === true ? ', tied' : ''}` }),
    };
  }
}

function budget(picker: string, { key: countedBy, highest, ...limit }: LimitPage['limits'][number]): BudgetState {
  const { name, unit, amount, windowSeconds, calendarWindow } = limit;
  return {
    name,
    picker,
    unit,
    amount,
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
    ...(calendarWindow === undefined ? {} : { calendarWindow }),
    countedBy,
    highest: highest.map(({ key, used, remaining }) => ({ key, used, remaining })),
  };
}

function countModels(page: string, models: Map<string, ModelState>): void {
  const counts = [
    ['llm_d_epp_request_total', 'requests'],
    ['llm_d_epp_request_running', 'running'],
    ['llm_d_epp_request_error_total', 'errors'],
  ] as const;
  for (const [family, field] of counts) {
    for (const { labels, value } of samples(page, family)) {
      const name = /model_name="([^"]*)"/.exec(labels)?.[1] ?? '';
      const state = models.get(name) ?? { name, requests: 0, running: 0, errors: 0 };
      models.set(name, { ...state, [field]: state[field] + value });
    }
  }
}

function sum(page: string, family: string): number {
  return samples(page, family).reduce((total, { value }) => total + value, 0);
}

/** Samples of one family in Prometheus' text format. */
export function samples(page: string, family: string): { readonly labels: string; readonly value: number }[] {
  return page.split('\n').flatMap((line) => {
    if (!line.startsWith(family)) return [];
    const match = /^(?:\{(.*)\})? (\S+)/.exec(line.slice(family.length));
    return match === null ? [] : [{ labels: match[1] ?? '', value: Number(match[2]) }];
  });
}

async function text(url: string): Promise<string> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.text(),
    () => '',
  );
}

async function json<T>(url: string): Promise<T | undefined> {
  const page = await text(url);
  return page === '' ? undefined : (JSON.parse(page) as T);
}
