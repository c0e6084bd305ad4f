import type { GatewayAdapter } from '../gateway-adapter';
import type { GatewayPlan, PlannedObject, PodSelectorPlan } from '../plan';
import { KONG } from './capabilities';
import { type CorsPluginConfig, kongPlugin } from './kong-plugin';

/** What is particular about an installation of Kong. */
export interface KongOptions {
  /** Namespace where Kong's proxies run, for NetworkPolicies. @default 'kong' */
  readonly proxyNamespace?: string;
  /** Labels of those pods. @default - every pod of that namespace: the labels differ between the operator and the charts */
  readonly proxyPodLabels?: { readonly [key: string]: string };
}

export class KongAdapter implements GatewayAdapter {
  public readonly capabilities = KONG;

  public constructor(private readonly options: KongOptions) {}

  public gatewayObjects(plan: GatewayPlan): PlannedObject[] {
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
    return {
      'konghq.com/request-buffering': 'false',
      'konghq.com/response-buffering': 'false',
      ...(plan.cors === undefined ? {} : { 'konghq.com/plugins': `${plan.routeName}-cors` }),
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
