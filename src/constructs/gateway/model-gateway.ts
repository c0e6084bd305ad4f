import { Chart } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import { ConcurrencyLimit, type ConcurrencyLimitOptions } from '../concurrency-limit';
import { type IInferenceModel, InferenceModel, type InferenceModelOptions } from '../inference-model';
import { refuse } from '../internal/errors';
import { beforeSynthesis } from '../internal/synthesis';
import type { PickerLimit } from '../picker-limit';
import { RequestRateLimit, type RequestRateLimitOptions } from '../request-rate-limit';
import { TokenRateLimit, type TokenRateLimitOptions } from '../token-rate-limit';
import { emitExtraRoute, type RouteOptions } from './extra-route';
import type { ModelGatewayOptions } from './gateway-props';
import type { GatewayState } from './gateway-state';
import { type ResolvedGateway, resolveGateway } from './resolve';

/** A gateway that models can be added to: an own one, or one that is in the cluster already. */
export interface IAiGateway extends IConstruct {
  readonly gatewayName: string;
  /** Undefined when the chart sets none. */
  readonly gatewayNamespace: string | undefined;
  /** Serves a model under a name. @throws AIG470 when the name is taken, and what InferenceModel refuses */
  addModel(modelName: string, options: InferenceModelOptions): InferenceModel;
  /** Serves a model that was made as a construct of its own. @throws AIG470 when its name is taken */
  serve(model: IInferenceModel): void;
  /** Sends other paths to a Service. @throws AIG484 for a path that the models have */
  addRoute(id: string, options: RouteOptions): void;
  /** Gives clients a budget of tokens. */
  addTokenRateLimit(id: string, options: TokenRateLimitOptions): TokenRateLimit;
  /** Lets so many requests begin in a window. */
  addRequestRateLimit(id: string, options: RequestRateLimitOptions): RequestRateLimit;
  /** Lets so many requests run at one time. */
  addConcurrencyLimit(id: string, options: ConcurrencyLimitOptions): ConcurrencyLimit;
  /**
   * Makes the objects that depend on everything that was added: policies, pickers, the proxy. Synthesis does it by itself; call it
   * to patch those objects before. Nothing can be added afterwards.
   */
  resolve(): void;
}

/** What both kinds of gateway share. */
export abstract class ModelGateway extends Construct implements IAiGateway {
  public abstract readonly gatewayName: string;
  public abstract readonly gatewayNamespace: string | undefined;

  private readonly options: ModelGatewayOptions;
  private readonly models: IInferenceModel[] = [];
  private readonly limits: PickerLimit[] = [];
  private readonly names = new Set<string>();
  private resolved: ResolvedGateway | undefined;
  private resolving = false;

  protected constructor(scope: Construct, id: string, options: ModelGatewayOptions) {
    super(scope, id);
    this.options = options;
    beforeSynthesis(this, () => this.resolve());
  }

  /** What only the kind of gateway knows. */
  protected abstract place(): Pick<GatewayState, 'baseName' | 'gatewayName' | 'gatewayNamespace' | 'ownsGateway' | 'parent'>;

  /** What was made of it all; undefined until `resolve`. @internal */
  public get _resolved(): ResolvedGateway | undefined {
    return this.resolved;
  }

  public addModel(modelName: string, options: InferenceModelOptions): InferenceModel {
    this.checkOpen('addModel');
    const model = new InferenceModel(this, `Model-${modelName.replace(/\//g, '-')}`, { ...options, modelName });
    this.serve(model);
    return model;
  }

  public serve(model: IInferenceModel): void {
    this.checkOpen('serve');
    for (const name of [model.modelName, ...model.aliases, ...model.adapters]) {
      if (this.names.has(name)) {
        refuse(model, {
          code: 'AIG470',
          what: 'two models of one gateway have the same name, alias or adapter',
          value: name,
          fix: 'give one of them another name; shares of one name are targets with weights',
        });
      }
      this.names.add(name);
    }
    this.models.push(model);
  }

  public addRoute(id: string, options: RouteOptions): void {
    this.checkOpen('addRoute');
    emitExtraRoute(this.state(), id, options);
  }

  public addTokenRateLimit(id: string, options: TokenRateLimitOptions): TokenRateLimit {
    this.checkOpen('addTokenRateLimit');
    return this.limited(new TokenRateLimit(this, id, options));
  }

  public addRequestRateLimit(id: string, options: RequestRateLimitOptions): RequestRateLimit {
    this.checkOpen('addRequestRateLimit');
    return this.limited(new RequestRateLimit(this, id, options));
  }

  public addConcurrencyLimit(id: string, options: ConcurrencyLimitOptions): ConcurrencyLimit {
    this.checkOpen('addConcurrencyLimit');
    return this.limited(new ConcurrencyLimit(this, id, options));
  }

  public resolve(): void {
    if (this.resolving) return;
    this.resolving = true;
    this.resolved = resolveGateway(this.state());
  }

  private limited<T extends PickerLimit>(limit: T): T {
    this.limits.push(limit);
    return limit;
  }

  private state(): GatewayState {
    return {
      ...this.place(),
      construct: this,
      adapter: this.options.implementation.adapter,
      options: this.options,
      routeNamespace: Chart.of(this).namespace,
      models: this.models,
      limits: this.limits,
    };
  }

  private checkOpen(method: string): void {
    if (!this.resolving) return;
    refuse(this, {
      code: 'AIG471',
      what: `${method} comes too late: the gateway’s objects have been made`,
      fix: `call ${method} before resolve() and before synthesis`,
    });
  }
}
