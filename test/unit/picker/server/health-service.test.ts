import http2 from 'node:http2';
import { Http2Server } from '../../../../src/picker/http2/server';
import { healthService } from '../../../../src/picker/server/health-service';
import { HealthState } from '../../../../src/picker/server/health-state';
import { StreamMetering } from '../../../../src/picker/server/stream-metering';
import { Exposition } from '../../../../src/picker/telemetry/exposition';

let state: HealthState;
let metering: StreamMetering;
let server: Http2Server;
let client: http2.ClientHttp2Session;

beforeEach(async () => {
  state = new HealthState();
  metering = new StreamMetering();
  server = new Http2Server({ methods: healthService(state).map((method) => metering.meter(method)) });
  await server.listen(0, '127.0.0.1');
  client = http2.connect(`http://127.0.0.1:${server.address().port}`);
});

afterEach(async () => {
  client.close();
  await server.close();
});

/** The status code of gRPC and the message's bytes. */
async function call(method: string, message: Buffer | undefined): Promise<{ status: string; body: string }> {
  const stream = client.request({
    ':method': 'POST',
    ':path': `/grpc.health.v1.Health/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let status = '';
  stream.on('response', (headers) => (status = String(headers['grpc-status'] ?? status)));
  stream.on('trailers', (trailers) => (status = String(trailers['grpc-status'])));
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (message === undefined) stream.end();
  else {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  }
  await new Promise((resolve) => stream.on('close', resolve));
  return { status, body: Buffer.concat(chunks).subarray(5).toString('hex') };
}

const named = (service: string): Buffer => Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
const SERVING = { status: '0', body: '0801' };
const NOT_SERVING = { status: '0', body: '0802' };
const SERVICES = ['readiness', 'inference-extension', 'envoy.service.ext_proc.v3.ExternalProcessor', 'anything'];

test.each(SERVICES)('%s is serving from the first sync until the end begins', async (service) => {
  expect(await call('Check', named(service))).toEqual(NOT_SERVING);
  state.synced();
  expect(await call('Check', named(service))).toEqual(SERVING);
  state.draining();
  expect(await call('Check', named(service))).toEqual(NOT_SERVING);
});

test('an empty request asks for readiness', async () => {
  expect(await call('Check', Buffer.alloc(0))).toEqual(NOT_SERVING);
  state.synced();
  expect(await call('Check', Buffer.alloc(0))).toEqual(SERVING);
});

test('B17: liveness never depends on the pool', async () => {
  expect(await call('Check', named('liveness'))).toEqual(SERVING);
  state.draining();
  expect(await call('Check', named('liveness'))).toEqual(SERVING);
});

test('unknown fields of a request are skipped', async () => {
  expect(await call('Check', Buffer.concat([Buffer.from([0x10, 0x05]), named('liveness')]))).toEqual(SERVING);
});

test.each([
  ['a message that is cut off', Buffer.from([0x0a, 0x09, 0x61]), '3'],
  ['no message', undefined, '3'],
])('%s is an invalid argument', async (_, message, status) => {
  expect((await call('Check', message)).status).toBe(status);
});

test('Watch is not implemented', async () => {
  expect((await call('Watch', named('readiness'))).status).toBe('12');
});

test('metered streams are counted by their status', async () => {
  await call('Check', named('liveness'));
  await call('Watch', named('liveness'));
  const out = new Exposition();
  metering.write(out);
  const text = out.take();
  expect(text).toContain('llm_d_epp_extproc_streams_inflight 0\n');
  expect(text).toContain('llm_d_epp_extproc_streams_total{code="OK"} 1\n');
  expect(text).toContain('llm_d_epp_extproc_streams_total{code="Unimplemented"} 1\n');
  expect(text).toContain('llm_d_epp_extproc_stream_duration_seconds_count 2\n');
});
