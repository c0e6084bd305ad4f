import { type BootstrapInput, LISTEN_PORT, POOL_HEADER } from './bootstrap-input';
import { jwtFilter } from './envoy-jwt';
import { socketAddress, typed } from './envoy-values';

const CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';
const CONNECTION_MANAGER_TYPE = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = { name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router') };

/** Where the gateway sends the API's requests: client headers out, picker asked, pool chosen by the header it sets. */
export function httpListener(input: BootstrapInput): { [field: string]: unknown } {
  return {
    name: 'http',
    address: socketAddress(input.listenAddress ?? '0.0.0.0', input.listenPort ?? LISTEN_PORT),
    per_connection_buffer_limit_bytes: 1_048_576,
    filter_chains: [
      {
        filters: [
          {
            name: CONNECTION_MANAGER,
            typed_config: typed(CONNECTION_MANAGER_TYPE, {
              stat_prefix: 'http',
              normalize_path: true,
              merge_slashes: true,
              preserve_external_request_id: true,
              server_header_transformation: 'PASS_THROUGH',
              // Ends a request whose picker or engine has gone silent; a picker's message_timeout does not in full duplex.
              stream_idle_timeout: `${input.streamIdleSeconds}s`,
              early_header_mutation_extensions: [
                {
                  name: 'envoy.http.early_header_mutation.header_mutation',
                  typed_config: typed('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
                    mutations: input.controlHeaders.map((header) => ({ remove: header })),
                  }),
                },
              ],
              http_filters: [...(input.jwt === undefined ? [] : [jwtFilter(input.jwt)]), extProcFilter(), ROUTER],
              route_config: routes(input),
            }),
          },
        ],
      },
    ],
  };
}

function extProcFilter(): { [field: string]: unknown } {
  return {
    name: 'envoy.filters.http.ext_proc',
    typed_config: typed('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
      grpc_service: { envoy_grpc: { cluster_name: 'picker' } },
      processing_mode: {
        request_header_mode: 'SEND',
        response_header_mode: 'SEND',
        request_body_mode: 'FULL_DUPLEX_STREAMED',
        response_body_mode: 'FULL_DUPLEX_STREAMED',
        request_trailer_mode: 'SEND',
        response_trailer_mode: 'SEND',
      },
      failure_mode_allow: false,
      status_on_error: { code: 'ServiceUnavailable' },
      // Envoy drops metadata of namespaces that are not listed here, the picked endpoint among them.
      metadata_options: { receiving_namespaces: { untyped: ['envoy.lb'] } },
    }),
  };
}

function routes(input: BootstrapInput): { [field: string]: unknown } {
  return {
    name: 'models',
    virtual_hosts: [
      {
        name: 'models',
        domains: ['*'],
        routes: [
          {
            match: { prefix: '/' },
            // What only the picker said is not the engine's business.
            request_headers_to_remove: [...new Set([POOL_HEADER, ...input.controlHeaders])],
            route: {
              cluster_header: POOL_HEADER,
              timeout: `${input.longestAnswerSeconds}s`,
              idle_timeout: `${input.streamIdleSeconds}s`,
              ...(input.retries === 0 ? {} : { retry_policy: retryPolicy(input.retries) }),
            },
          },
        ],
      },
    ],
  };
}

/** Only failures in which the engine has not begun to answer: a second answer must never follow a first one. */
function retryPolicy(retries: number): { [field: string]: unknown } {
  return {
    retry_on: 'connect-failure,refused-stream,reset-before-request',
    num_retries: retries,
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
      },
    ],
    // Least request likes a dead host, which has no requests: two hosts in three of four picks. Fifty picks find another one.
    host_selection_retry_max_attempts: 50,
  };
}

/** Readiness for the kubelet and metrics for Prometheus; the rest of the admin interface stays on loopback. */
export function statusListener(address: string, port: number): { [field: string]: unknown } {
  return {
    name: 'status',
    address: socketAddress(address, port),
    filter_chains: [
      {
        filters: [
          {
            name: CONNECTION_MANAGER,
            typed_config: typed(CONNECTION_MANAGER_TYPE, {
              stat_prefix: 'status',
              http_filters: [ROUTER],
              route_config: {
                name: 'status',
                virtual_hosts: [
                  {
                    name: 'status',
                    domains: ['*'],
                    routes: ['/ready', '/stats/prometheus'].map((path) => ({
                      match: { path, headers: [{ name: ':method', string_match: { exact: 'GET' } }] },
                      route: { cluster: 'admin' },
                    })),
                  },
                ],
              },
            }),
          },
        ],
      },
    ],
  };
}
