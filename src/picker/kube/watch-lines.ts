import { ClusterError, type KubeObject, type WatchListener } from './cluster-watch';

/** etcd holds objects of 1.5 MB; more than this is no watch. */
const MAX_LINE_BYTES = 16 * 2 ** 20;
const NEWLINE = 0x0a;

interface Status {
  readonly code?: number;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** Puts the chunks of a watch together to events: one JSON object a line (Kubernetes API concepts, "Efficient detection of changes"). */
export class WatchLines {
  private parts: Buffer[] = [];
  private bytes = 0;

  public constructor(private readonly listener: WatchListener) {}

  /** @throws ClusterError for an error that the server reports, and for what is no event */
  public push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.parts.push(chunk.subarray(start, end));
      const line = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
      this.parts = [];
      this.bytes = 0;
      start = end + 1;
      if (line.length > 0) this.event(line.toString('utf8'));
    }
    if (start === chunk.length) return;
    this.bytes += chunk.length - start;
    if (this.bytes > MAX_LINE_BYTES) throw new ClusterError(0, `a line of the watch is longer than ${MAX_LINE_BYTES} bytes`);
    this.parts.push(start === 0 ? chunk : chunk.subarray(start));
  }

  private event(line: string): void {
    let event: { readonly type?: unknown; readonly object?: unknown };
    try {
      event = JSON.parse(line);
    } catch {
      throw new ClusterError(0, 'the watch sent a line that is no JSON');
    }
    const { type, object } = event ?? {};
    if (type === 'ERROR') throw statusError(object as Status);
    if (!isEventType(type) || !isObject(object)) throw new ClusterError(0, 'the watch sent a line that is no event');
    this.listener.onEvent(type, object);
  }
}

/** A Status object (`kind: Status`) as an error. */
export function statusError(status: Status | undefined, httpStatus = 0): ClusterError {
  const seconds = status?.details?.retryAfterSeconds;
  const message = status?.message ?? `HTTP ${httpStatus}`;
  return new ClusterError(status?.code ?? httpStatus, message, seconds === undefined ? undefined : seconds * 1e3);
}

function isEventType(type: unknown): type is 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}

function isObject(value: unknown): value is KubeObject {
  return typeof (value as KubeObject | undefined)?.metadata?.resourceVersion === 'string';
}
