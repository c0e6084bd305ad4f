import type { GatewayPlan, PlannedObject } from '../plan';

/** Configuration of Kong's `cors` plugin, open source, schema of Kong Gateway 3.15. */
export interface CorsPluginConfig {
  readonly origins: string[];
  readonly methods: string[];
  readonly headers: string[];
  readonly exposed_headers: string[];
  readonly credentials: boolean;
  /** Seconds. */
  readonly max_age: number;
}

/** Configuration of `ai-rate-limiting-advanced`, of the enterprise edition, schema of Kong Gateway 3.15; the form that 3.7 has too. */
export interface AiRateLimitingPluginConfig {
  /** One limit and one window, in seconds, for the provider of the ai-proxy plugin. */
  readonly llm_providers: { readonly name: string; readonly limit: number[]; readonly window_size: number[] }[];
  readonly identifier: 'header' | 'service';
  readonly header_name?: string;
  readonly tokens_count_strategy: 'total_tokens' | 'prompt_tokens' | 'completion_tokens';
  readonly window_type: 'fixed' | 'sliding';
  /** Where it counts: each Kong for itself. */
  readonly strategy: 'local';
}

/** Plugins that are emitted, with the type of their configuration: KongPlugin itself leaves `config` free. */
export interface PluginConfigs {
  readonly cors: CorsPluginConfig;
  readonly 'ai-rate-limiting-advanced': AiRateLimitingPluginConfig;
}

export function pluginName(plan: GatewayPlan, plugin: keyof PluginConfigs): string {
  return `${plan.routeName}-${plugin}`;
}

/** A KongPlugin; the route names it in its annotation `konghq.com/plugins`. */
export function kongPlugin<P extends keyof PluginConfigs>(
  plan: GatewayPlan,
  plugin: P,
  config: PluginConfigs[P],
  why: string,
): PlannedObject {
  return {
    id: `Plugin-${plugin}`,
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    name: pluginName(plan, plugin),
    namespace: plan.routeNamespace,
    body: { plugin, config },
    why,
  };
}
