import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './error-codes';
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FRAME_HEADER_BYTES,
  MAX_WINDOW_BYTES,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame-types';
import type { Http2Limits } from './limits';

// Identifiers (RFC 9113 section 6.5.2).
export const HEADER_TABLE_SIZE = 0x1;
export const ENABLE_PUSH = 0x2;
export const MAX_CONCURRENT_STREAMS = 0x3;
export const INITIAL_WINDOW_SIZE = 0x4;
export const MAX_FRAME_SIZE = 0x5;
export const MAX_HEADER_LIST_SIZE = 0x6;

const SETTING_BYTES = 6;
const LARGEST_MAX_FRAME_BYTES = 0xff_ffff;

/** What the peer has announced and this server has to keep to. */
export class PeerSettings {
  headerTableBytes = 4096;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;

  /**
   * Applies the payload of one SETTINGS frame, in order; unknown identifiers are ignored.
   *
   * @throws ConnectionError for a value outside of RFC 9113 section 6.5.2
   */
  apply(payload: Buffer, start: number, end: number): void {
    if ((end - start) % SETTING_BYTES !== 0) throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS length');
    for (let i = start; i < end; i += SETTING_BYTES) this.set(payload.readUInt16BE(i), payload.readUInt32BE(i + 2));
  }

  private set(identifier: number, value: number): void {
    switch (identifier) {
      case HEADER_TABLE_SIZE:
        // Between two blocks the smallest one counts: the encoder has to have given up what no longer fitted (RFC 7541 section 4.2).
        this.headerTableBytes = Math.min(this.headerTableBytes, value);
        break;
      case ENABLE_PUSH:
        if (value > 1) throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS_ENABLE_PUSH');
        break;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) throw new ConnectionError(FLOW_CONTROL_ERROR, 'SETTINGS_INITIAL_WINDOW_SIZE');
        this.initialWindowBytes = value;
        break;
      case MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) {
          throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS_MAX_FRAME_SIZE');
        }
        // Frames sent are never larger than the least that every peer accepts, so the value itself is not needed.
        break;
      default:
        break;
    }
  }
}

/** The server's connection preface (RFC 9113 section 3.4): SETTINGS, and the rest of the connection's window. */
export function serverPreface(limits: Http2Limits): Buffer {
  const settings: readonly (readonly [number, number])[] = [
    [MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams],
    [INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
  ];
  const extraWindowBytes = limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
  const settingsBytes = settings.length * SETTING_BYTES;
  const preface = Buffer.alloc(FRAME_HEADER_BYTES + settingsBytes + (extraWindowBytes > 0 ? FRAME_HEADER_BYTES + 4 : 0));
  preface.writeUIntBE(settingsBytes, 0, 3);
  preface[3] = SETTINGS;
  let offset = FRAME_HEADER_BYTES;
  for (const [identifier, value] of settings) {
    preface.writeUInt16BE(identifier, offset);
    preface.writeUInt32BE(value, offset + 2);
    offset += SETTING_BYTES;
  }
  if (extraWindowBytes > 0) {
    preface[offset + 2] = 4;
    preface[offset + 3] = WINDOW_UPDATE;
    preface.writeUInt32BE(extraWindowBytes, offset + FRAME_HEADER_BYTES);
  }
  return preface;
}
