import type { GatewayAdapter } from '../gateway-adapter';
import type { GatewayPlan, PlannedObject, PodSelectorPlan, TokenLimitFault, TokenLimitPlan } from '../plan';
import { KONG } from './capabilities';
import { type CorsPluginConfig, kongPlugin, pluginName } from './kong-plugin';
import { tokenLimitFault, tokenLimitPlugin } from './token-limits';

/** What is particular about an installation of Kong. */
export interface KongOptions {
  /** Namespace where Kong's proxies run, for NetworkPolicies. @default 'kong' */
  readonly proxyNamespace?: string;
  /** Labels of those pods. @default - every pod of that namespace: the labels differ between the operator and the charts */
  readonly proxyPodLabels?: { readonly [key: string]: string };
  /**
   * Name of a KongPlugin of yours, `ai-proxy` or `ai-proxy-advanced`, in the namespace of the model route, whose upstream is the proxy's
   * Service. Limits with `LimitEnforcement.GATEWAY` need it: only with it does Kong count tokens. @default - none
   */
  readonly aiProxyPlugin?: string;
  /** The provider that it names. @default 'openai' */
  readonly aiProxyProvider?: string;
}

export class KongAdapter implements GatewayAdapter {
  public readonly capabilities = KONG;

  public constructor(private readonly options: KongOptions) {}

  public gatewayObjects(plan: GatewayPlan): PlannedObject[] {
    const provider = this.options.aiProxyProvider ?? 'openai';
    return [...this.corsPlugin(plan), ...plan.tokenLimits.map((limit) => tokenLimitPlugin(plan, limit, provider))];
  }

  public tokenLimitFault(limits: readonly TokenLimitPlan[]): TokenLimitFault | undefined {
    return tokenLimitFault(limits, this.options.aiProxyPlugin);
  }

  private corsPlugin(plan: GatewayPlan): PlannedObject[] {
    if (plan.cors === undefined) return [];
    const config: CorsPluginConfig = {
      origins: [...plan.cors.allowOrigins],
      methods: [...plan.cors.allowMethods],
      headers: [...plan.cors.allowHeaders],
      exposed_headers: [...plan.cors.exposeHeaders],
      credentials: plan.cors.allowCredentials,
      max_age: plan.cors.maxAgeSeconds,
    };
    return [kongPlugin(plan, 'cors', config, 'answers browsers: Kong has no CORS filter on routes')];
  }

  public ruleObjects(): PlannedObject[] {
    return [];
  }

  /** A buffered answer reaches the client when it is complete: tokens would no longer stream. */
  public routeAnnotations(plan: GatewayPlan): { [key: string]: string } {
    const limits =
      plan.tokenLimits.length === 0 ? [] : [this.options.aiProxyPlugin!, pluginName(plan, 'ai-rate-limiting-advanced')];
    const plugins = [...(plan.cors === undefined ? [] : [pluginName(plan, 'cors')]), ...limits];
    return {
      'konghq.com/request-buffering': 'false',
      'konghq.com/response-buffering': 'false',
      ...(plugins.length === 0 ? {} : { 'konghq.com/plugins': plugins.join(',') }),
    };
  }

  /** Kong's timeouts are gaps between two reads or writes, 60 s each unless said: too short for a first token. */
  public serviceAnnotations(plan: GatewayPlan): { [key: string]: string } {
    const idle = String(plan.streamIdleSeconds * 1000);
    return {
      'konghq.com/connect-timeout': '10000',
      'konghq.com/read-timeout': idle,
      'konghq.com/write-timeout': idle,
      'konghq.com/retries': String(plan.retries),
    };
  }

  public parametersRef(): undefined {
    return undefined;
  }

  /** Tells the Ingress Controller that the proxies of the class are not its operator's. */
  public gatewayClassAnnotations(): { [key: string]: string } {
    return { 'konghq.com/gatewayclass-unmanaged': 'true' };
  }

  public gatewayPods(): PodSelectorPlan {
    return {
      ...(this.options.proxyPodLabels === undefined ? {} : { podLabels: this.options.proxyPodLabels }),
      namespaceLabels: { 'kubernetes.io/metadata.name': this.options.proxyNamespace ?? 'kong' },
    };
  }
}
