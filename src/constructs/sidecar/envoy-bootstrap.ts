import { type BootstrapInput, STATUS_PORT } from './bootstrap-input';
import { adminCluster, engineKeyName, pickerCluster, poolCluster } from './envoy-clusters';
import { jwksCluster } from './envoy-jwt';
import { httpListener, statusListener } from './envoy-listeners';
import { socketAddress, typed } from './envoy-values';

/** Envoy's bootstrap (`envoy.config.bootstrap.v3.Bootstrap`), valid for Envoy 1.40. */
export function envoyBootstrap(input: BootstrapInput): { [field: string]: unknown } {
  const adminPort = input.adminPort ?? 19000;
  const keyed = input.pools.filter((pool) => pool.apiKeyFile !== undefined);
  return {
    node: { id: 'ai-gateway-proxy', cluster: 'ai-gateway-proxy' },
    admin: { address: socketAddress('127.0.0.1', adminPort) },
    layered_runtime: {
      layers: [
        // Without it Envoy resets every ext_proc stream at its end instead of closing it.
        { name: 'ext_proc', static_layer: { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': true } },
      ],
    },
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: typed('envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig', {
            max_active_downstream_connections: 50_000,
          }),
        },
      ],
    },
    static_resources: {
      ...(keyed.length === 0
        ? {}
        : {
            secrets: keyed.map((pool) => ({
              name: engineKeyName(pool.name),
              generic_secret: { secret: { filename: pool.apiKeyFile } },
            })),
          }),
      listeners: [httpListener(input), statusListener(input.listenAddress ?? '0.0.0.0', input.statusPort ?? STATUS_PORT)],
      clusters: [
        pickerCluster(input.pickerPort ?? 9002),
        adminCluster(adminPort),
        ...(input.jwt === undefined ? [] : [jwksCluster(input.jwt)]),
        ...input.pools.map((pool) => poolCluster(pool)),
      ],
    },
  };
}
