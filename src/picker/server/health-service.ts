import { WireError, WireReader } from '../ext-proc/wire-reader';
import type { GrpcCall, GrpcMethod, GrpcStream } from '../http2/grpc';
import type { HealthState } from './health-state';

const OK = 0;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

/** HealthCheckRequest.service, field 1, a text. */
const SERVICE_TAG = (1 << 3) | 2;
/** HealthCheckResponse.status, field 1, an enum. */
const SERVING = Buffer.from([0x08, 0x01]);
const NOT_SERVING = Buffer.from([0x08, 0x02]);

/** Longest request: names of services are short. */
const MAX_MESSAGE_BYTES = 4_096;

/**
 * The service `grpc.health.v1.Health` (grpc/doc/health-checking.md) with the names that llm-d's picker answers to. `liveness` is always
 * SERVING: restarting a picker because its endpoints are missing helps nobody. Every other name (`readiness`, `inference-extension`,
 * the ext_proc service, none) is SERVING while the endpoints are known and the program is not about to end.
 */
export function healthService(state: HealthState): GrpcMethod[] {
  return [
    { path: '/grpc.health.v1.Health/Check', maxMessageBytes: MAX_MESSAGE_BYTES, open: (stream) => new CheckCall(stream, state) },
    { path: '/grpc.health.v1.Health/Watch', maxMessageBytes: MAX_MESSAGE_BYTES, open: (stream) => new WatchCall(stream) },
  ];
}

class CheckCall implements GrpcCall {
  private answered = false;

  public constructor(
    private readonly stream: GrpcStream,
    private readonly state: HealthState,
  ) {}

  public onMessage(buffer: Buffer, start: number, end: number): void {
    if (this.answered) return;
    this.answered = true;
    let service: string;
    try {
      service = readService(buffer, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.stream.end(INVALID_ARGUMENT, `malformed HealthCheckRequest: ${error.message}`);
      return;
    }
    const answer = service === 'liveness' || this.state.ready ? SERVING : NOT_SERVING;
    this.stream.send(answer, 0, answer.length);
    this.stream.end(OK);
  }

  public onHalfClose(): void {
    if (!this.answered) this.stream.end(INVALID_ARGUMENT, 'the call holds no HealthCheckRequest');
  }

  public onClose(): void {}
}

class WatchCall implements GrpcCall {
  public constructor(private readonly stream: GrpcStream) {}

  public onMessage(): void {
    this.refuse();
  }

  public onHalfClose(): void {
    this.refuse();
  }

  public onClose(): void {}

  private refuse(): void {
    if (!this.stream.closed) this.stream.end(UNIMPLEMENTED, 'Watch is not supported, use Check');
  }
}

function readService(buffer: Buffer, start: number, end: number): string {
  const reader = new WireReader().over(buffer, start, end);
  let service = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== SERVICE_TAG) {
      reader.skip(tag);
      continue;
    }
    const textEnd = reader.delimited();
    service = buffer.toString('utf8', reader.at, textEnd);
    reader.at = textEnd;
  }
  return service;
}
