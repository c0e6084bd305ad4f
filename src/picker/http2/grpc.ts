/**
 * What the HTTP/2 server offers to a gRPC service, and what the service implements. Synchronous on purpose: one read of the
 * socket is parsed to its end, every complete message is handed over at once, and all replies leave in one write.
 */

/** One gRPC call, as the service sees it. */
export interface GrpcStream {
  /**
   * Queues one message: `length` bytes of `message` from `start`. The bytes are copied before the call returns, or written to the
   * output slab at once. Returns false when the peer's window or the socket is full: the rest is kept and sent later.
   */
  send(message: Buffer, start: number, length: number): boolean;
  /**
   * Queues one message made of three parts, without joining them first: a prefix, a slice of received bytes, a suffix.
   * This is how a body piece is echoed.
   */
  sendParts(
    prefix: Buffer,
    prefixLength: number,
    body: Buffer,
    bodyStart: number,
    bodyLength: number,
    suffix: Buffer,
    suffixLength: number,
  ): boolean;
  /** Ends the call with a gRPC status, after what was queued. */
  end(status: number, message?: string): void;
  /** Asks for a flush of what was queued outside of a read callback (a decision that waited). */
  flush(): void;
  /** Bytes queued and not yet handed to the socket. */
  readonly pendingBytes: number;
  readonly closed: boolean;
}

/** One call's receiver. `buffer` is only valid during the call: copy what must outlive it. */
export interface GrpcCall {
  onMessage(buffer: Buffer, start: number, end: number): void;
  /** The client has sent its last message. */
  onHalfClose(): void;
  /** The call is over: reset by the client, connection lost, or ended and flushed. Called exactly once, always. */
  onClose(reset: boolean): void;
}

/** A gRPC method. An exception thrown by a call's method ends that stream with INTERNAL and nothing else. */
export interface GrpcMethod {
  /** For example `/envoy.service.ext_proc.v3.ExternalProcessor/Process`. */
  readonly path: string;
  /** Largest message accepted, in bytes; a larger one ends the stream with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  open(stream: GrpcStream): GrpcCall;
}
