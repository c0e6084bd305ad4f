import type { Http2Counters } from '../http2/counters';
import type { Exposition } from './exposition';

/** The process, by the names that every Prometheus client uses. */
export function writeProcessMetrics(out: Exposition): void {
  const { user, system } = process.cpuUsage();
  gauge(out, 'process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss());
  counter(out, 'process_cpu_seconds_total', 'Processor time, user and system.', (user + system) / 1e6);
  gauge(
    out,
    'process_start_time_seconds',
    'Start of the process, in seconds of the Unix epoch.',
    Date.now() / 1e3 - process.uptime(),
  );
}

/** The HTTP/2 layer in front of ext_proc. */
export function writeHttp2Metrics(out: Exposition, counters: Http2Counters): void {
  gauge(out, 'aig_picker_http2_connections', 'Open connections.', counters.connections);
  gauge(out, 'aig_picker_http2_streams', 'Open streams.', counters.streamsOpen);
  counter(out, 'aig_picker_http2_connections_total', 'Connections accepted.', counters.connectionsTotal);
  counter(out, 'aig_picker_http2_streams_total', 'Streams opened.', counters.streamsTotal);
  counter(out, 'aig_picker_http2_streams_reset_by_client_total', 'Streams that the proxy reset.', counters.streamsResetByClient);
  counter(out, 'aig_picker_http2_streams_reset_by_server_total', 'Streams that the picker reset.', counters.streamsResetByServer);
  counter(out, 'aig_picker_http2_connection_errors_total', 'Connections ended because of an error.', counters.connectionErrors);
}

function gauge(out: Exposition, name: string, help: string, value: number): void {
  out.family(name, 'gauge', help);
  out.sample(name, [], value);
}

function counter(out: Exposition, name: string, help: string, value: number): void {
  out.family(name, 'counter', help);
  out.sample(name, [], value);
}
