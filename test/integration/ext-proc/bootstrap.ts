const TYPE = 'type.googleapis.com/';
const EXTENSIONS = `${TYPE}envoy.extensions`;

/** One listener: how its ext_proc filter talks to the picker. */
export interface ListenerMode {
  readonly name: string;
  readonly requestBody: string;
  readonly responseBody: string;
  readonly responseHeaders?: 'SEND' | 'SKIP';
  readonly bodyBeforeHeaderReply?: boolean;
  readonly streamIdleTimeout?: string;
}

const DUPLEX = 'FULL_DUPLEX_STREAMED';

/**
 * A bootstrap of Envoy with one listener per mode, a picker on a loopback port, and engines reached by the address that the picker
 * names. All ports are chosen by the system.
 */
export function bootstrap(pickerPort: number, modes: readonly ListenerMode[], runtime: object): object {
  return {
    admin: { address: loopback(0) },
    layered_runtime: { layers: [{ name: 'static', static_layer: runtime }] },
    static_resources: {
      listeners: modes.map(listener),
      clusters: [
        {
          name: 'picker',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'picker',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(pickerPort) } }] }],
          },
          typed_extension_protocol_options: protocolOptions({ http2_protocol_options: {} }),
        },
        {
          name: 'engines',
          type: 'ORIGINAL_DST',
          lb_policy: 'CLUSTER_PROVIDED',
          original_dst_lb_config: { use_http_header: true, http_header_name: 'x-gateway-destination-endpoint' },
          typed_extension_protocol_options: protocolOptions({ http_protocol_options: { enable_trailers: true } }),
        },
      ],
    },
  };
}

function listener(mode: ListenerMode): object {
  const processor = {
    '@type': `${EXTENSIONS}.filters.http.ext_proc.v3.ExternalProcessor`,
    grpc_service: { envoy_grpc: { cluster_name: 'picker' } },
    message_timeout: '10s',
    send_body_without_waiting_for_header_response: mode.bodyBeforeHeaderReply ?? false,
    processing_mode: {
      request_header_mode: 'SEND',
      response_header_mode: mode.responseHeaders ?? 'SEND',
      request_body_mode: mode.requestBody,
      response_body_mode: mode.responseBody,
      request_trailer_mode: 'SEND',
      response_trailer_mode: mode.responseBody === DUPLEX || mode.responseBody === 'STREAMED' ? 'SEND' : 'SKIP',
    },
  };
  const manager = {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: mode.name,
    stream_idle_timeout: mode.streamIdleTimeout ?? '20s',
    http_protocol_options: { enable_trailers: true },
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'engines', timeout: '0s' } }] },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.ext_proc', typed_config: processor },
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } },
    ],
  };
  return {
    name: mode.name,
    address: loopback(0),
    // bodies of 8 MB must fit where they are buffered
    per_connection_buffer_limit_bytes: 16 * 1024 * 1024,
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

function loopback(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function protocolOptions(explicit: object): object {
  return {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: explicit,
    },
  };
}
