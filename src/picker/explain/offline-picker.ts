import { parseFlags } from '../../picker-config/flag-parser';
import { EMPTY_PICKER_POLICY, type PickerPolicy } from '../../picker-config/picker-policy';
import { ManualClock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import { type RandomSource, SeededRandom } from '../../shared/random';
import { EndpointStore } from '../datastore/endpoint-store';
import { ModelRewrites } from '../datastore/model-rewrites';
import { PooledEndpoints } from '../datastore/pool-endpoints';
import { demandOf, ReusedSubject } from '../director/limit-request';
import type { ModelResolver, ResolvedModel } from '../director/model-resolver';
import { PickerDirector, ReusedRequest } from '../director/picker-director';
import type { AskingClient } from '../director/policy-model-resolver';
import { PolicyModels } from '../director/policy-models';
import type { Decision, RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import { Line } from '../flow-control/line';
import type { VerifiedClient } from '../identity/identity';
import { ModelAccess } from '../identity/model-access';
import { parseRewrite, type RewriteObject } from '../kube/llmd-policies';
import { BodyScan, scanBody } from '../openai/body-scanner';
import { requestApi } from '../openai/request-api';
import { type LoadedConfig, loadConfig } from '../program/load-config';
import { loadPlugins } from '../program/load-plugins';
import { modelResolver, type ServedPool, servedPool } from '../program/served-pools';
import { programSettings } from '../program/settings';
import type { Endpoint } from '../scheduling/interface/endpoint-snapshot';
import { promptTokens } from '../scheduling/interface/prompt-tokens';
import { DecisionLog } from '../telemetry/decision-log';
import { RequestMetrics } from '../telemetry/request-metrics';
import { SchedulerMetrics } from '../telemetry/scheduler-metrics';
import { Budgets } from '../tokens/budgets';
import { limitAnswer } from '../tokens/limit-answers';
import { applyStates, type EndpointState } from './endpoint-state';
import type { DecisionStep, LimitStep, ModelStep, QueueStep, RequestExplanation } from './explanation';

/** A picker as its pod would start it. */
export interface OfflineConfig {
  /** Its command line. */
  readonly flags: readonly string[];
  /** NAMESPACE of its environment. */
  readonly namespace: string;
  /** Text of the files that are mounted, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Endpoints of each pool, in the order of its configuration. */
  readonly pools: readonly (readonly OfflineEndpoint[])[];
  /** InferenceModelRewrites of the cluster. */
  readonly rewrites: readonly RewriteObject[];
  /** Of chance: weights and ties. */
  readonly seed: number;
}

export interface OfflineEndpoint {
  readonly endpoint: Endpoint;
  /** Undefined for an idle one. */
  readonly state: EndpointState | undefined;
}

/** A request to explain. */
export interface OfflineRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer | undefined;
}

/** Any moment that is later than all reports. */
const NOW_MS = 1e9;

/** Who may use every model: an endpoint can have the prompt of any client. */
const ANYBODY = Symbol('anybody');

/** Whose request is explained, and so which models it may know of. */
class Asker implements AskingClient {
  private readonly access: ModelAccess | undefined;
  private client: VerifiedClient | typeof ANYBODY | undefined = ANYBODY;

  public constructor(policy: PickerPolicy | undefined) {
    this.access = policy?.access === undefined ? undefined : new ModelAccess(policy);
  }

  public become(client: VerifiedClient | typeof ANYBODY | undefined): void {
    this.client = client;
  }

  public get clientId(): string | undefined {
    return this.client === ANYBODY ? undefined : this.client?.id;
  }

  public mayUse(model: string): boolean {
    return this.access === undefined || this.client === ANYBODY || this.access.mayUse(this.client, model);
  }
}

/** The picker's own parts, put together without anything that listens or watches: they decide one request at a moment that is given. */
export class OfflinePicker {
  private readonly clock = new ManualClock(NOW_MS);
  private readonly subject = new ReusedSubject();
  private readonly facts = new ReusedRequest();

  private constructor(
    private readonly loaded: LoadedConfig,
    private readonly pools: ReadonlyMap<string, ServedPool>,
    private readonly asker: Asker,
    private readonly models: ModelResolver,
    private readonly ignoreSubset: boolean,
  ) {}

  /** Starts it, or says why its pod would not start. */
  public static open(config: OfflineConfig): {
    readonly picker: OfflinePicker | undefined;
    readonly problems: readonly Problem[];
    /** Parts of the configuration that have no effect. */
    readonly notices: readonly string[];
  } {
    const { values, problems: flagProblems, notices: flagNotices } = parseFlags(config.flags);
    const { settings, problems: settingProblems } = programSettings(values, config.namespace);
    const store = new EndpointStore();
    const random: RandomSource = new SeededRandom(config.seed);
    const read = (path: string) => {
      const text = config.files.get(path);
      return text === undefined ? { error: 'it is not among the manifests' } : { text };
    };
    const pluginProblems: Problem[] = [];
    const custom = loadPlugins(settings.pluginFile, pluginProblems, read);
    const clock = new ManualClock(NOW_MS);
    const { loaded, problems, notices } = loadConfig(settings, { source: store, clock, random, custom }, read);
    const all = [...flagProblems, ...settingProblems, ...pluginProblems, ...problems];
    if (loaded === undefined || all.length > 0) return { picker: undefined, problems: all, notices: [] };
    const pooled = new PooledEndpoints(store);
    const pools = new Map(loaded.pools.map((plan) => [plan.name, servedPool(plan, pooled.addPool())]));
    [...pools.values()].forEach((pool, index) => {
      pool.endpoints.replaceAll((config.pools[index] ?? []).map(({ endpoint }) => endpoint));
    });
    const states = new Map(config.pools.flat().map(({ endpoint, state }) => [endpoint.hostPort, state]));
    applyStates(store.snapshot, (slot) => states.get(store.snapshot.endpoints[slot]!.hostPort), NOW_MS, loaded.scheduler.trust);
    const rewrites = new ModelRewrites(random);
    rewrites.replaceAll(
      loaded.pools.flatMap(({ discovery }) =>
        discovery.kind === 'inferencePool' && loaded.policy === undefined
          ? config.rewrites.flatMap((object) => parseRewrite(object, discovery) ?? [])
          : [],
      ),
    );
    const asker = new Asker(loaded.policy);
    const models = modelResolver(loaded.policy, pools, rewrites, random, asker);
    const picker = new OfflinePicker(loaded, pools, asker, models, settings.ignoreSubset);
    return { picker, problems: [], notices: [...flagNotices, ...notices] };
  }

  /**
   * Lets an endpoint have answered a request, so that it has the prompt cached.
   * @returns why it cannot have answered it
   */
  public serve(request: OfflineRequest, hostPort: string): string | undefined {
    const facts = factsOf(request);
    if ('kind' in facts) return String(facts.body);
    const resolved: ResolvedModel = { model: '', targetModel: '', attempts: [] };
    this.asker.become(ANYBODY);
    const refusal = this.models.resolve(facts, resolved);
    if (refusal !== undefined) return String(refusal.body);
    const attempt = resolved.attempts.find(({ pool }) => this.pools.get(pool.name)!.endpoints.snapshot.byHostPort.has(hostPort));
    if (attempt === undefined) return `its model '${resolved.model}' is not sent to the endpoint's pool`;
    this.facts.take({ ...facts, subset: [hostPort] }, resolved.model, attempt.targetModel ?? resolved.targetModel, false);
    const { flight, destination } = this.loaded.scheduler.schedule(this.facts, undefined, attempt.pool.endpoints);
    if (destination === '') return 'the endpoint takes no requests: it is not ready, or a filter removes it';
    this.loaded.scheduler.settle(flight);
    return undefined;
  }

  /** @param client who the request is from, where the configuration identifies clients */
  public explain(request: OfflineRequest, client: VerifiedClient | undefined): RequestExplanation {
    const facts = factsOf(request);
    const summary = this.summary(request, facts);
    const nothing = { request: summary, model: undefined, limits: [], queue: undefined, scheduling: undefined };
    if ('kind' in facts) return { ...nothing, decision: decisionOf(facts) };
    let resolved: ResolvedModel | undefined;
    let queue: QueueStep | undefined;
    this.asker.become(client);
    const models: ModelResolver = {
      resolve: (asked, into) => {
        const refusal = this.models.resolve(asked, into);
        if (refusal === undefined) resolved = { ...into };
        // before the decision counts as one more under way
        if (refusal === undefined) queue = this.queue(into, client);
        return refusal;
      },
    };
    const decisions = new DecisionLog();
    const log = { scheduler: this.loaded.scheduler, requests: new RequestMetrics(), scheduling: new SchedulerMetrics() };
    const director = new PickerDirector({ ...log, models, decisions, clock: this.clock, ignoreSubset: this.ignoreSubset });
    decisions.arm(NOW_MS);
    // nothing makes a request wait: limits are explained, not counted
    const decision = director.decide(facts, () => undefined)!;
    if (resolved === undefined) return { ...nothing, decision: decisionOf(decision) };
    const model = this.modelStep(resolved);
    const { steps, refusal } = this.limits(facts, resolved, client);
    if (refusal !== undefined)
      return { request: summary, model, limits: steps, queue: undefined, scheduling: undefined, decision: decisionOf(refusal) };
    const endpoints = decisions.list()[0]!.explanation ?? [];
    const pool = model.pools.find(({ isTaken }) => isTaken)!.pool;
    const scheduling = { pool, profile: endpoints[0]?.profile ?? '', endpoints };
    return { request: summary, model, limits: steps, queue, scheduling, decision: decisionOf(decision) };
  }

  private summary({ method, path, body }: OfflineRequest, facts: RequestFacts | RejectDecision): RequestExplanation['request'] {
    const scanned = 'kind' in facts ? undefined : facts.scanned;
    if (!('kind' in facts)) this.facts.take(facts, '', '', false);
    return {
      method,
      path,
      api: requestApi(path),
      isReadable: !('kind' in facts),
      model: scanned?.model,
      stream: scanned?.stream === true,
      maxTokens: scanned?.maxTokens ?? -1,
      promptTokens: body === undefined || scanned === undefined ? 0 : Math.ceil(promptTokens(this.facts)),
    };
  }

  private modelStep({ model, rule, targetModel, attempts, session }: ResolvedModel): ModelStep {
    const { policy } = this.loaded;
    const routed = policy === undefined ? undefined : new PolicyModels(policy, this.pools).get(model);
    const first = attempts.findIndex(({ pool }) => pool.endpoints.snapshot.ready.length > 0);
    const taken = first === -1 ? attempts.length - 1 : first;
    const choices = routed?.choices ?? [];
    return {
      rule: rule!,
      name: model,
      priority: routed?.priority,
      chances:
        choices.length < 2
          ? []
          : choices.map(({ upTo, attempts: [target] }, index) => ({
              pool: target!.pool.name,
              ratio: upTo - (choices[index - 1]?.upTo ?? 0),
            })),
      session: session === undefined ? undefined : routed?.stickiness,
      pools: attempts.map((attempt, index) => ({
        pool: attempt.pool.name,
        targetModel: attempt.targetModel ?? targetModel,
        readyEndpoints: attempt.pool.endpoints.snapshot.ready.length,
        isTaken: index === taken,
      })),
    };
  }

  private queue({ attempts, priority: own = 0 }: ResolvedModel, client: VerifiedClient | undefined): QueueStep | undefined {
    const { settings, tenants } = this.loaded.queues;
    if (settings === undefined) return undefined;
    const priority = tenants.get(client?.tenant ?? client?.id ?? '') ?? own;
    const { pool } = attempts.find((attempt) => attempt.pool.endpoints.snapshot.ready.length > 0) ?? attempts[0]!;
    const line = new Line<never>(pool.name, pool.endpoints, settings, () => undefined);
    const band = line.band(priority);
    const { name, ceiling, busyCeiling, queueMs } = band.settings;
    const goesOn = line.hasRoom(band, NOW_MS);
    return {
      priority,
      band: name,
      saturationRatio: line.saturation(NOW_MS),
      ceilingRatio: ceiling,
      // nobody is above the first
      busyCeilingRatio: line.bands[0] === band ? ceiling : busyCeiling,
      goesOn,
      queueSeconds: Number.isFinite(queueMs) ? queueMs / 1e3 : null,
    };
  }

  private limits(
    facts: RequestFacts,
    resolved: ResolvedModel,
    client: VerifiedClient | undefined,
  ): { readonly steps: LimitStep[]; readonly refusal: RejectDecision | undefined } {
    const policy: PickerPolicy = this.loaded.policy ?? EMPTY_PICKER_POLICY;
    const budgets = new Budgets(this.clock, 'explain');
    budgets.use(policy);
    this.subject.take(facts, resolved, client);
    const api = requestApi(facts.path);
    const claim = budgets.claim(this.subject, demandOf(facts, api, resolved.model));
    const denial = claim !== undefined && 'retryMs' in claim ? claim : undefined;
    const reservation = claim !== undefined && 'rules' in claim ? claim : undefined;
    const steps = budgets.rules.map((rule): LimitStep => {
      const at = reservation?.rules.indexOf(rule) ?? -1;
      return {
        name: rule.name,
        unit: rule.unit,
        amount: rule.amount,
        ...rule.windows,
        keySource: rule.keySource,
        key: rule.keyOf(this.subject),
        applies: rule.applies(this.subject),
        charge: denial?.rule === rule ? denial.charge : (reservation?.charges[at] ?? 0),
        shadow: rule.shadow,
      };
    });
    return { steps, refusal: denial && limitAnswer(api, denial, 0) };
  }
}

/** What the picker sees of a request, or its answer to one that it cannot read. */
function factsOf({ method, path, headers, body }: OfflineRequest): RequestFacts | RejectDecision {
  const scanned = new BodyScan();
  if (body !== undefined) {
    const api = requestApi(path);
    scanBody(api, body, scanned);
    if (scanned.error !== undefined) return rejection(api, 'BadRequest', scanned.error, 'bad-request');
  }
  return {
    id: 1,
    header: (name) => headers.get(name),
    method,
    path,
    body,
    scanned: body === undefined ? undefined : scanned,
    subset: undefined,
  };
}

function decisionOf(decision: Decision): DecisionStep {
  if (decision.kind === 'reject') {
    const { status, reason, body } = decision;
    return { kind: 'reject', status, reason, body: body.toString('utf8') };
  }
  return { kind: 'route', endpoints: decision.destination.split(','), setHeaders: decision.setHeaders ?? [] };
}
