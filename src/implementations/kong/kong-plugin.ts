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

/** Plugins that are emitted, with the type of their configuration: KongPlugin itself leaves `config` free. */
export interface PluginConfigs {
  readonly cors: CorsPluginConfig;
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
    name: `${plan.routeName}-${plugin}`,
    namespace: plan.routeNamespace,
    body: { plugin, config },
    why,
  };
}
