import type { BootstrapPool } from './bootstrap-input';
import { endpoint, typed } from './envoy-values';

/** Envoy's default of 1,024 parallel requests counts answers that are still streaming, and each may take minutes. */
const WIDE_OPEN = {
  thresholds: [{ max_connections: 40_000, max_pending_requests: 40_000, max_requests: 40_000, max_retries: 1_000 }],
};

/** The picker in the same Pod. An ext_proc stream is open for as long as the answer. */
export function pickerCluster(port: number): { [field: string]: unknown } {
  return {
    name: 'picker',
    type: 'STATIC',
    connect_timeout: '1s',
    circuit_breakers: WIDE_OPEN,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
        explicit_http_config: { http2_protocol_options: {} },
      }),
    },
    load_assignment: { cluster_name: 'picker', endpoints: [{ lb_endpoints: [endpoint('127.0.0.1', port)] }] },
  };
}

/** Envoy's own admin interface, of which only readiness and metrics are shown outside. */
export function adminCluster(port: number): { [field: string]: unknown } {
  return {
    name: 'admin',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: 'admin', endpoints: [{ lb_endpoints: [endpoint('127.0.0.1', port)] }] },
  };
}

export function engineKeyName(pool: string): string {
  return `engine-key-${pool}`;
}

const UPSTREAM_CODEC = {
  name: 'envoy.filters.http.upstream_codec',
  typed_config: typed('envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec'),
};

/** Clients never learn the engines' key: whatever they sent for the gateway is replaced on the last hop. */
function keyInjector(pool: BootstrapPool): { [field: string]: unknown } {
  return {
    name: 'envoy.filters.http.credential_injector',
    typed_config: typed('envoy.extensions.filters.http.credential_injector.v3.CredentialInjector', {
      overwrite: true,
      credential: {
        name: 'envoy.http.injected_credentials.generic',
        typed_config: typed('envoy.extensions.http.injected_credentials.generic.v3.Generic', {
          credential: { name: engineKeyName(pool.name) },
          header: 'authorization',
          header_value_prefix: 'Bearer ',
        }),
      },
    }),
  };
}

/**
 * The engines of one pool. The picked address is used when it is one of the Service's records; any other falls back to least
 * request inside the pool, so that a request can never leave it. Retries walk the picker's list.
 */
export function poolCluster(pool: BootstrapPool): { [field: string]: unknown } {
  return {
    name: pool.name,
    type: 'STRICT_DNS',
    connect_timeout: '5s',
    dns_refresh_rate: '1s',
    dns_lookup_family: 'ALL',
    circuit_breakers: WIDE_OPEN,
    load_balancing_policy: {
      policies: [
        {
          typed_extension_config: {
            name: 'envoy.load_balancing_policies.override_host',
            typed_config: typed('envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost', {
              override_host_sources: [{ metadata: { key: 'envoy.lb', path: [{ key: 'x-gateway-destination-endpoint' }] } }],
              fallback_policy: {
                policies: [
                  {
                    typed_extension_config: {
                      name: 'envoy.load_balancing_policies.least_request',
                      typed_config: typed('envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest'),
                    },
                  },
                ],
              },
            }),
          },
        },
      ],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
        // vLLM closes idle connections after 5 s: a request must not meet one that is being closed.
        common_http_protocol_options: { idle_timeout: '4s' },
        explicit_http_config: { http_protocol_options: {} },
        ...(pool.apiKeyFile === undefined ? {} : { http_filters: [keyInjector(pool), UPSTREAM_CODEC] }),
      }),
    },
    ...(pool.tls
      ? {
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', { sni: pool.host }),
          },
        }
      : {}),
    load_assignment: {
      cluster_name: pool.name,
      endpoints: [{ lb_endpoints: pool.ports.map((port) => endpoint(pool.host, port)) }],
    },
  };
}
