import { WireReader } from './wire-reader';

/** Field numbers of the `request` oneof in envoy.service.ext_proc.v3.ProcessingRequest. */
export enum Phase {
  None = 0,
  RequestHeaders = 2,
  ResponseHeaders = 3,
  RequestBody = 4,
  ResponseBody = 5,
  RequestTrailers = 6,
  ResponseTrailers = 7,
}

/** envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode. */
export enum BodyMode {
  None = 0,
  Streamed = 1,
  Buffered = 2,
  BufferedPartial = 3,
  FullDuplexStreamed = 4,
  Grpc = 5,
}

const HEADERS_TAG = (1 << 3) | 2;
const HEADERS_END_TAG = 3 << 3;
const BODY_TAG = (1 << 3) | 2;
const BODY_END_TAG = 2 << 3;

/** What one ProcessingRequest says, as offsets into the received bytes. Filled again for each message. */
export class ProcessingRequest {
  phase = Phase.None;
  /** `HeaderMap` of a headers message, bytes of a body message. */
  start = 0;
  end = 0;
  endOfStream = false;
  /** `metadata_context`; empty when absent. */
  metadataStart = 0;
  metadataEnd = 0;
  observabilityMode = false;
  /** Sent by Envoy 1.33 and later, in the first message of a stream. */
  hasProtocolConfig = false;
  requestBodyMode = BodyMode.None;
  responseBodyMode = BodyMode.None;
  /** `send_body_without_waiting_for_header_response`. */
  bodyBeforeHeaderReply = false;
  private readonly reader = new WireReader();

  /** Reads a message; fields in any order, the last of a oneof wins. @throws WireError */
  decode(bytes: Buffer, start: number, end: number): void {
    this.phase = Phase.None;
    this.start = this.end = 0;
    this.endOfStream = false;
    this.metadataStart = this.metadataEnd = 0;
    this.observabilityMode = false;
    this.hasProtocolConfig = false;
    const reader = this.reader.over(bytes, start, end);
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) return;
      switch (tag) {
        case (2 << 3) | 2:
        case (3 << 3) | 2:
          this.phase = tag >>> 3;
          this.part(HEADERS_TAG, HEADERS_END_TAG);
          break;
        case (4 << 3) | 2:
        case (5 << 3) | 2:
          this.phase = tag >>> 3;
          this.part(BODY_TAG, BODY_END_TAG);
          break;
        case (6 << 3) | 2:
        case (7 << 3) | 2:
          this.phase = tag >>> 3;
          this.endOfStream = true;
          reader.at = reader.delimited();
          break;
        case (8 << 3) | 2:
          this.metadataEnd = reader.delimited();
          this.metadataStart = reader.at;
          reader.at = this.metadataEnd;
          break;
        case 10 << 3:
          this.observabilityMode = reader.varint() !== 0;
          break;
        case (11 << 3) | 2:
          this.protocolConfig();
          break;
        default:
          reader.skip(tag);
      }
    }
  }

  /** HttpHeaders or HttpBody: bytes under one tag, end_of_stream under the other. */
  private part(bytesTag: number, endTag: number): void {
    const reader = this.reader;
    const outer = reader.end;
    const end = reader.delimited();
    this.start = this.end = reader.at;
    this.endOfStream = false;
    reader.end = end;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === bytesTag) {
        this.end = reader.delimited();
        this.start = reader.at;
        reader.at = this.end;
      } else if (tag === endTag) this.endOfStream = reader.varint() !== 0;
      else reader.skip(tag);
    }
    reader.end = outer;
  }

  private protocolConfig(): void {
    const reader = this.reader;
    const outer = reader.end;
    reader.end = reader.delimited();
    this.hasProtocolConfig = true;
    this.requestBodyMode = BodyMode.None;
    this.responseBodyMode = BodyMode.None;
    this.bodyBeforeHeaderReply = false;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 1 << 3) this.requestBodyMode = reader.varint();
      else if (tag === 2 << 3) this.responseBodyMode = reader.varint();
      else if (tag === 3 << 3) this.bodyBeforeHeaderReply = reader.varint() !== 0;
      else reader.skip(tag);
    }
    reader.end = outer;
  }
}
