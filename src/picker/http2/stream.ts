import { BufferBudget } from './buffer-budget';
import type { GrpcCall, GrpcMethod, GrpcStream } from './grpc';
import { INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from './grpc-status';
import type { Http2Limits } from './limits';
import { MessageAssembler } from './message-assembler';
import { MESSAGE_PREFIX_BYTES, MessageParts } from './message-parts';
import { ReceiveWindow } from './receive-window';
import { SendQueue } from './send-queue';
import type { Sender, SendingStream } from './sender';

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly limits: Http2Limits;
  readonly sender: Sender;
  readonly budget: BufferBudget;
  messageReceived(): void;
  messageSent(): void;
  /** The trailers are in the output: the server's side of the stream is closed. */
  localEnd(stream: Stream): void;
  /** The stream may have a WINDOW_UPDATE due that it held back. */
  replenish(stream: Stream): void;
  scheduleFlush(): void;
  serviceError(error: unknown): void;
}

const NONE = Buffer.alloc(0);
/** Everything here is synchronous, so one serves all streams. */
const parts = new MessageParts();

/**
 * One stream (RFC 9113 section 5.1), which is one gRPC call. It is "open" when made, "half-closed (remote)" with `remoteClosed`,
 * "half-closed (local)" with `localClosed`, and "closed" with both or after a reset; the states before and after belong to the connection.
 */
export class Stream implements GrpcStream, SendingStream {
  responseSent = false;
  remoteClosed = false;
  localClosed = false;
  queue: SendQueue | undefined;
  readonly receiveWindow: ReceiveWindow;
  /** What the content-length field still promises, or -1 without one. */
  contentLeft = -1;
  /** Complete messages received. */
  messages = 0;
  /** Bytes received and dropped since the server ended the stream. */
  droppedBytes = 0;
  /** Time of the first look at the stream after the server had ended it. */
  lingeringSinceMs = -1;
  private call: GrpcCall | undefined;
  private assembler: MessageAssembler | undefined;
  private budget: BufferBudget | undefined;
  private ended = false;
  private status = 0;
  private statusMessage = '';
  private closeDelivered = false;

  constructor(
    private readonly owner: StreamOwner,
    readonly id: number,
    public sendWindowBytes: number,
    private readonly method: GrpcMethod | undefined,
  ) {
    this.receiveWindow = new ReceiveWindow(owner.limits.streamWindowBytes);
  }

  // What the service uses.

  get closed(): boolean {
    return this.ended || this.closeDelivered;
  }

  get pendingBytes(): number {
    return this.queue === undefined ? 0 : this.queue.bytes;
  }

  send(message: Buffer, start: number, length: number): boolean {
    return this.sendParts(NONE, 0, message, start, length, NONE, 0);
  }

  sendParts(
    prefix: Buffer,
    prefixLength: number,
    body: Buffer,
    bodyStart: number,
    bodyLength: number,
    suffix: Buffer,
    suffixLength: number,
  ): boolean {
    if (this.closed) return false;
    const message = parts.set(prefix, prefixLength, body, bodyStart, bodyLength, suffix, suffixLength);
    this.owner.messageSent();
    let sentBytes = 0;
    if (this.queue === undefined) {
      sentBytes = this.owner.sender.message(this, message);
      if (sentBytes === message.totalBytes) return true;
      this.queue = new SendQueue((this.budget ??= this.newBudget()));
    }
    if (this.queue.add(message, message.totalBytes - sentBytes)) this.owner.sender.queued(this);
    else this.fail(RESOURCE_EXHAUSTED, 'too many bytes wait for the client to read them');
    return false;
  }

  end(status: number, message = ''): void {
    if (this.closed) return;
    this.ended = true;
    this.status = status;
    this.statusMessage = message;
    if (this.queue === undefined) this.endLocal();
  }

  flush(): void {
    this.owner.scheduleFlush();
  }

  // What the connection uses.

  /** Hands the stream to its service. An exception of the service ends the stream. */
  open(): void {
    try {
      this.call = this.method!.open(this);
    } catch (error) {
      this.serviceFailed(error);
    }
  }

  /** Payload of a DATA frame without padding, `[start, end)` of `buffer`. */
  data(buffer: Buffer, start: number, end: number): void {
    while (start < end && !this.closed) {
      if (this.assembler?.active) {
        start = this.continueMessage(this.assembler, buffer, start, end);
      } else {
        if (end - start >= MESSAGE_PREFIX_BYTES) {
          const bytes = buffer.readUInt32BE(start + 1);
          const messageStart = start + MESSAGE_PREFIX_BYTES;
          if (end - messageStart >= bytes) {
            if (!this.acceptable(buffer[start]!, bytes)) return;
            start = messageStart + bytes;
            this.deliver(buffer, messageStart, start);
            continue;
          }
        }
        this.assembler ??= new MessageAssembler((this.budget ??= this.newBudget()));
        start = this.continueMessage(this.assembler, buffer, start, end);
      }
    }
  }

  /** END_STREAM from the peer. */
  halfClose(): void {
    this.remoteClosed = true;
    if (this.closed) return;
    if (this.assembler?.active) {
      this.fail(INTERNAL, 'the stream ended inside a message');
      return;
    }
    try {
      this.call?.onHalfClose();
    } catch (error) {
      this.serviceFailed(error);
    }
  }

  /** Ends the call because of the peer or the service, dropping what was queued. */
  fail(status: number, message: string): void {
    if (this.closed) return;
    this.dropQueue();
    this.end(status, message);
  }

  /** Part of the queue has been sent. */
  queueMoved(): void {
    const queue = this.queue!;
    if (queue.bytes === 0) {
      this.queue = undefined;
      if (this.ended) {
        this.endLocal();
        return;
      }
    }
    if (queue.bytes <= this.owner.limits.streamSendHighWaterBytes) this.owner.replenish(this);
  }

  /** Answers a request that is not gRPC. */
  refuse(httpStatus: number): void {
    this.ended = true;
    this.localClosed = true;
    this.owner.sender.httpStatus(this.id, httpStatus);
    this.owner.localEnd(this);
  }

  /** Releases what the stream holds and tells the service, once. */
  close(reset: boolean): void {
    if (this.closeDelivered) return;
    this.closeDelivered = true;
    this.dropQueue();
    this.assembler?.reset();
    try {
      this.call?.onClose(reset);
    } catch (error) {
      this.owner.serviceError(error);
    }
    this.call = undefined;
  }

  private endLocal(): void {
    this.localClosed = true;
    this.assembler?.reset();
    this.owner.sender.trailers(this, this.status, this.statusMessage);
    this.owner.localEnd(this);
  }

  /** Returns the offset behind what was taken of `[start, end)`. */
  private continueMessage(assembler: MessageAssembler, buffer: Buffer, start: number, end: number): number {
    if (!assembler.prefixComplete) {
      start = assembler.addPrefix(buffer, start, end);
      if (!assembler.prefixComplete) return start;
      if (!this.acceptable(assembler.compressedFlag, assembler.messageBytes)) return end;
    }
    start = assembler.add(buffer, start, end);
    if (start < 0) {
      this.fail(RESOURCE_EXHAUSTED, 'too many bytes of incomplete messages');
      return end;
    }
    if (assembler.complete) {
      const bytes = assembler.messageBytes;
      this.deliver(assembler.buffer, 0, bytes);
      assembler.reset();
    }
    return start;
  }

  private acceptable(compressedFlag: number, bytes: number): boolean {
    if (bytes > this.method!.maxMessageBytes) {
      this.fail(RESOURCE_EXHAUSTED, `message of ${bytes} bytes, at most ${this.method!.maxMessageBytes} are accepted`);
    } else if (compressedFlag === 1) {
      this.fail(UNIMPLEMENTED, 'compressed messages are not supported');
    } else if (compressedFlag !== 0) {
      this.fail(INTERNAL, 'the compressed flag of a message is neither 0 nor 1');
    }
    return !this.closed;
  }

  private deliver(buffer: Buffer, start: number, end: number): void {
    this.messages++;
    this.owner.messageReceived();
    try {
      this.call!.onMessage(buffer, start, end);
    } catch (error) {
      this.serviceFailed(error);
    }
  }

  private serviceFailed(error: unknown): void {
    this.owner.serviceError(error);
    this.fail(INTERNAL, 'internal error');
  }

  private dropQueue(): void {
    if (this.queue === undefined) return;
    this.owner.sender.forget(this);
    this.queue.clear();
    this.queue = undefined;
  }

  private newBudget(): BufferBudget {
    return new BufferBudget(this.owner.limits.maxStreamBufferedBytes, this.owner.budget);
  }
}
