import type { GrpcCall, GrpcMethod, GrpcStream } from '../http2/grpc';
import type { Exposition } from '../telemetry/exposition';
import { Bounds, Histogram } from '../telemetry/histogram';

/** Names of the status codes, as grpc-go writes them. */
const CODE_NAMES = [
  ...['OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists', 'PermissionDenied'],
  ...['ResourceExhausted', 'FailedPrecondition', 'Aborted', 'OutOfRange', 'Unimplemented', 'Internal', 'Unavailable', 'DataLoss'],
  'Unauthenticated',
];
const CANCELED = 1;

/** The opt-in ext_proc group of llm-d's metrics (`--enable-grpc-stream-metrics`). */
export class StreamMetering {
  private readonly durationSeconds = new Histogram(Bounds.STREAM_SECONDS);
  private readonly byCode = new Float64Array(CODE_NAMES.length);
  private inFlight = 0;

  /** The same method, with its streams counted. */
  public meter(method: GrpcMethod): GrpcMethod {
    return {
      path: method.path,
      maxMessageBytes: method.maxMessageBytes,
      open: (stream) => {
        this.inFlight++;
        const openedMs = performance.now();
        let code = CANCELED;
        const call = method.open(watchEnd(stream, (status) => (code = status)));
        return watchClose(call, () => {
          this.inFlight--;
          this.durationSeconds.observe((performance.now() - openedMs) / 1e3);
          const index = code < CODE_NAMES.length ? code : 2;
          this.byCode[index] = this.byCode[index]! + 1;
        });
      },
    };
  }

  public write(out: Exposition): void {
    out.family('llm_d_epp_extproc_streams_inflight', 'gauge', 'Open ext_proc streams.');
    out.sample('llm_d_epp_extproc_streams_inflight', [], this.inFlight);
    out.family('llm_d_epp_extproc_stream_duration_seconds', 'histogram', 'How long ext_proc streams were open.');
    out.histogram('llm_d_epp_extproc_stream_duration_seconds', [], this.durationSeconds);
    out.family('llm_d_epp_extproc_streams_total', 'counter', 'Closed ext_proc streams by gRPC status.');
    this.byCode.forEach((count, code) => {
      if (count > 0) out.sample('llm_d_epp_extproc_streams_total', ['code', CODE_NAMES[code]!], count);
    });
  }
}

function watchEnd(stream: GrpcStream, onEnd: (status: number) => void): GrpcStream {
  return {
    send: (message, start, length) => stream.send(message, start, length),
    sendParts: (...parts) => stream.sendParts(...parts),
    end: (status, message) => {
      onEnd(status);
      stream.end(status, message);
    },
    flush: () => stream.flush(),
    get pendingBytes() {
      return stream.pendingBytes;
    },
    get closed() {
      return stream.closed;
    },
  };
}

function watchClose(call: GrpcCall, onClose: () => void): GrpcCall {
  return {
    onMessage: (buffer, start, end) => call.onMessage(buffer, start, end),
    onHalfClose: () => call.onHalfClose(),
    onClose: (reset) => {
      call.onClose(reset);
      onClose();
    },
  };
}
