import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type RunningProcess, startProcess } from './process';

/** A load-balancing policy of Envoy's, as its extension is called. */
type Balance = 'round_robin' | 'least_request' | 'random';

export interface EnvoyOptions {
  /** The picker that it asks. @default none: it chooses by itself */
  readonly pickerPort?: number;
  /** How it chooses an engine where no picker names one. @default 'round_robin' */
  readonly balance?: Balance;
  readonly enginePorts: readonly number[];
  /** Tries after the first, each on the next address that the picker named. @default 2 */
  readonly retries?: number;
  /** The command in front of Envoy, such as `taskset`. @default none */
  readonly wrapper?: (program: string, args: readonly string[]) => [program: string, args: readonly string[]];
}

export interface RunningEnvoy {
  readonly port: number;
  readonly url: string;
  readonly process: RunningProcess;
  /** The value of a counter or gauge; 0 where Envoy has none of that name. */
  stat(name: string): Promise<number>;
}

/**
 * Envoy with one worker in front of engines, asking a picker, if any, in the one processing mode that pickers support: full duplex streamed both
 * ways.
 * Hosts are chosen by `override_host`, so that only known engines are dialled and retries walk the picker's list.
 */
export async function startEnvoy(envoy: string, options: EnvoyOptions): Promise<RunningEnvoy> {
  const [port, adminPort] = (await freePorts(2)) as [number, number];
  const file = join(mkdtempSync(join(tmpdir(), 'envoy-')), 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap(options, port, adminPort)));
  // Envoys on one machine share memory unless each has an id of its own.
  const args = ['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'warning'];
  const [program, programArgs] = options.wrapper?.(envoy, args) ?? [envoy, args];
  const running = await startProcess(program, { args: programArgs, ready: { port } });
  const stat = async (name: string) => {
    const filter = encodeURIComponent(`^${name.replace(/\./g, '\\.')}$`);
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=${filter}`)).text();
    return Number(/: (\d+)\s*$/.exec(text)?.[1] ?? 0);
  };
  return { port, url: `http://127.0.0.1:${port}`, process: running, stat };
}

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const DESTINATION_HEADER = 'x-gateway-destination-endpoint';

function bootstrap(options: EnvoyOptions, port: number, adminPort: number): object {
  return {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'clients',
          address: address(port),
          filter_chains: [
            {
              filters: [extension('envoy.filters.network.http_connection_manager', HTTP_MANAGER, httpManager(options))],
            },
          ],
        },
      ],
      clusters: [...(options.pickerPort === undefined ? [] : [pickerCluster(options.pickerPort)]), engineCluster(options)],
    },
  };
}

const EXT_PROC = extension('envoy.filters.http.ext_proc', 'envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
  grpc_service: { envoy_grpc: { cluster_name: 'picker' } },
  message_timeout: '5s',
  processing_mode: {
    request_header_mode: 'SEND',
    response_header_mode: 'SEND',
    request_body_mode: 'FULL_DUPLEX_STREAMED',
    response_body_mode: 'FULL_DUPLEX_STREAMED',
    request_trailer_mode: 'SEND',
    response_trailer_mode: 'SEND',
  },
  metadata_options: { receiving_namespaces: { untyped: ['envoy.lb'] } },
});

const HTTP_MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function httpManager({ pickerPort, retries = 2 }: EnvoyOptions): object {
  return {
    stat_prefix: 'clients',
    // A picker that never answers holds a stream for ever unless this ends it.
    stream_idle_timeout: '60s',
    http_filters: [
      ...(pickerPort === undefined ? [] : [EXT_PROC]),
      extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router', {}),
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/' },
              route: {
                cluster: 'engines',
                timeout: '0s',
                retry_policy: { retry_on: 'connect-failure,reset,503', num_retries: retries },
              },
            },
          ],
        },
      ],
    },
  };
}

function pickerCluster(port: number): object {
  return {
    ...cluster('picker', [port]),
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: { '@type': `type.googleapis.com/${HTTP_OPTIONS}`, explicit_http_config: { http2_protocol_options: {} } },
    },
  };
}

function engineCluster({ enginePorts, pickerPort, balance = 'round_robin' }: EnvoyOptions): object {
  const own = policy(balance, {});
  const named = { override_host_sources: [{ header: DESTINATION_HEADER }], fallback_policy: own };
  return {
    ...cluster('engines', enginePorts),
    load_balancing_policy: pickerPort === undefined ? own : policy('override_host', named),
  };
}

function policy(name: Balance | 'override_host', fields: object): object {
  const message = name.replaceAll(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  const type = `envoy.extensions.load_balancing_policies.${name}.v3.${message}`;
  return { policies: [{ typed_extension_config: extension(`envoy.load_balancing_policies.${name}`, type, fields) }] };
}

function cluster(name: string, ports: readonly number[]): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    // Envoy's default of 1,024 requests at once would be the measured limit.
    circuit_breakers: {
      thresholds: [{ max_connections: 100_000, max_requests: 100_000, max_pending_requests: 100_000, max_retries: 100 }],
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }],
    },
  };
}

function extension(name: string, type: string, fields: object): object {
  return { name, typed_config: { '@type': `type.googleapis.com/${type}`, ...fields } };
}

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
