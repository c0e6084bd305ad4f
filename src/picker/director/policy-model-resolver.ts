import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { RandomSource } from '../../shared/random';
import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import { requestApi } from '../openai/request-api';
import { answerModelList, unknownModel } from './model-list';
import type { ModelResolver, ResolvedModel } from './model-resolver';
import { PolicyModels, type RoutedModel } from './policy-models';
import type { Attempt, PoolRoute } from './pool-route';
import { stickyChoice } from './sticky-choice';

/** The client of the request at hand. */
export interface AskingClient {
  /** Undefined where it is not known. */
  readonly clientId: string | undefined;
  mayUse(model: string): boolean;
}

/**
 * Finds the model by the policy: the class header first, then the body's model, then the default model. Weights are chance, request by
 * request, or session by session where the model says so; the pools after the first are for when that one has no ready endpoint.
 */
export class PolicyModelResolver implements ModelResolver {
  private readonly models: PolicyModels;
  private readonly names: readonly string[];
  private readonly byClass = new Map<string, RoutedModel>();
  private readonly classHeader: string | undefined;
  private readonly fallback: RoutedModel | undefined;
  /** For requests without a model, when there is only one pool to send them to. */
  private readonly onlyPool: readonly Attempt[] | undefined;

  public constructor(
    policy: PickerPolicy,
    pools: ReadonlyMap<string, PoolRoute>,
    private readonly random: RandomSource,
    /** @default nobody is known, and everybody may use every model */
    private readonly client?: AskingClient,
  ) {
    this.models = new PolicyModels(policy, pools);
    this.names = this.models.names;
    this.classHeader = policy.classes?.header;
    for (const [value, name] of Object.entries(policy.classes?.values ?? {})) this.byClass.set(value, this.models.get(name)!);
    this.fallback = policy.defaultModel === undefined ? undefined : this.models.get(policy.defaultModel);
    const [pool] = pools.values();
    if (pools.size === 1) this.onlyPool = [{ pool: pool!, targetModel: undefined }];
  }

  public resolve(request: RequestFacts, into: ResolvedModel): RejectDecision | undefined {
    const { scanned } = request;
    const asked = scanned?.model;
    into.model = asked ?? '';
    into.targetModel = into.model;
    into.rule = undefined;
    into.priority = 0;
    into.fairnessId = '';
    into.session = undefined;
    const found = this.find(request, asked, into);
    if (found !== undefined) {
      into.model = found.name;
      into.priority = found.priority;
      into.session = this.sessionOf(found, request);
      into.attempts = this.choose(found, into.session);
      into.targetModel = into.attempts[0]!.targetModel ?? found.name;
      return undefined;
    }
    const names = this.namesFor();
    const list = answerModelList(request.method, request.path, names);
    if (list !== undefined) return list;
    const api = requestApi(request.path);
    if (asked !== undefined && (api !== 'passthrough' || this.onlyPool === undefined)) return unknownModel(api, asked, names);
    if (api === 'passthrough' && this.onlyPool !== undefined) {
      // the picker does not read which model of the pool such a body names
      if (names.length < this.names.length) return rejection(api, 'NotFound', 'no such path', 'unknown-path');
      into.attempts = this.onlyPool;
      into.rule = 'as-asked';
      return undefined;
    }
    return rejection(api, 'BadRequest', 'model not found in request body', 'bad-request');
  }

  private find(request: RequestFacts, asked: string | undefined, into: ResolvedModel): RoutedModel | undefined {
    if (this.classHeader !== undefined) {
      const value = request.header(this.classHeader);
      const chosen = value === undefined ? undefined : this.byClass.get(value);
      if (chosen !== undefined && this.mayUse(chosen)) {
        into.rule = 'class-header';
        return chosen;
      }
    }
    const named = asked === undefined ? undefined : this.models.get(asked);
    if (named !== undefined && this.mayUse(named)) {
      into.rule = 'body';
      return named;
    }
    const { fallback } = this;
    // the default is for requests to a model, not for every path
    if (fallback === undefined || requestApi(request.path) === 'passthrough' || !this.mayUse(fallback)) return undefined;
    into.rule = 'default-model';
    return fallback;
  }

  private mayUse({ name }: RoutedModel): boolean {
    return this.client === undefined || this.client.mayUse(name);
  }

  /** What the client may hear of. */
  private namesFor(): readonly string[] {
    return this.client === undefined ? this.names : this.names.filter((name) => this.mayUse(this.models.get(name)!));
  }

  private sessionOf({ choices, stickiness }: RoutedModel, request: RequestFacts): string | undefined {
    if (stickiness === undefined || choices.length === 1) return undefined;
    const key = stickiness.source === 'client' ? this.client?.clientId : request.header(stickiness.name!);
    return key === '' ? undefined : key;
  }

  private choose({ choices }: RoutedModel, session: string | undefined): readonly Attempt[] {
    if (choices.length === 1) return choices[0]!.attempts;
    if (session !== undefined) return choices[stickyChoice(choices, session)]!.attempts;
    const chance = this.random.next();
    for (let index = 0; index < choices.length; index++) {
      if (chance < choices[index]!.upTo) return choices[index]!.attempts;
    }
    return choices[choices.length - 1]!.attempts;
  }
}
