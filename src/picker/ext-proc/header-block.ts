import { isControlHeader } from './control-headers';
import { WireError, WireReader } from './wire-reader';

const HEADER_TAG = (1 << 3) | 2;
const KEY_TAG = (1 << 3) | 2;
const VALUE_TAG = (2 << 3) | 2;
const RAW_VALUE_TAG = (3 << 3) | 2;

const USUAL_BYTES = 4096;
/** Proxies allow their clients far less: Envoy 60 KiB unless told otherwise. */
const MAX_BYTES = 256 * 1024;

/** Name start, name end, value start, value end. */
const NUMBERS = 4;

/**
 * The headers of one message: a copy of the bytes and where each name and value lies, decoded only when asked for.
 * envoy.config.core.v3.HeaderMap; `raw_value` is preferred over `value`, as Envoy sends only the first.
 */
export class HeaderBlock {
  private bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  private offsets = new Int32Array(64 * NUMBERS);
  private count = 0;
  private readonly reader = new WireReader();
  private readonly controls: number[] = [];

  clear(): void {
    this.count = 0;
    this.controls.length = 0;
  }

  /** Gives back what an unusually large block needed. */
  trim(): void {
    if (this.bytes.length > 8 * USUAL_BYTES) this.bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  }

  /** Copies and indexes a HeaderMap. @throws WireError */
  read(source: Buffer, start: number, end: number): void {
    this.clear();
    const length = end - start;
    if (length > MAX_BYTES) throw new WireError(`headers of ${length} bytes are more than ${MAX_BYTES}`);
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(length * 2);
    source.copy(this.bytes, 0, start, end);
    const reader = this.reader.over(this.bytes, 0, length);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === HEADER_TAG) this.readHeader(reader);
      else reader.skip(tag);
    }
  }

  /** First value under a lower-case name. */
  get(name: string): string | undefined {
    const index = this.find(name);
    if (index < 0) return undefined;
    return this.bytes.toString('utf8', this.offsets[index + 2]!, this.offsets[index + 3]!);
  }

  has(name: string): boolean {
    return this.find(name) >= 0;
  }

  /** First value as a whole number; -1 when absent or no number. */
  number(name: string): number {
    const index = this.find(name);
    if (index < 0) return -1;
    const end = this.offsets[index + 3]!;
    let at = this.offsets[index + 2]!;
    if (at === end || end - at > 15) return -1;
    let value = 0;
    for (; at < end; at++) {
      const digit = this.bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Names of the control headers that the client sent, each once. */
  controlNames(): readonly string[] {
    if (this.controls.length === 0) return NO_NAMES;
    const names = new Set<string>();
    for (const index of this.controls) {
      names.add(this.bytes.toString('latin1', this.offsets[index]!, this.offsets[index + 1]!).toLowerCase());
    }
    return [...names];
  }

  private readHeader(reader: WireReader): void {
    const outer = reader.end;
    reader.end = reader.delimited();
    let nameStart = 0;
    let nameEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      switch (tag) {
        case KEY_TAG:
          nameEnd = reader.delimited();
          nameStart = reader.at;
          reader.at = nameEnd;
          break;
        case VALUE_TAG: {
          const end = reader.delimited();
          if (valueEnd === valueStart) {
            valueStart = reader.at;
            valueEnd = end;
          }
          reader.at = end;
          break;
        }
        case RAW_VALUE_TAG: {
          const end = reader.delimited();
          if (end > reader.at) {
            valueStart = reader.at;
            valueEnd = end;
          }
          reader.at = end;
          break;
        }
        default:
          reader.skip(tag);
      }
    }
    reader.end = outer;
    this.add(nameStart, nameEnd, valueStart, valueEnd);
  }

  private add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.count * NUMBERS;
    if (index === this.offsets.length) {
      const larger = new Int32Array(this.offsets.length * 2);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    this.offsets[index] = nameStart;
    this.offsets[index + 1] = nameEnd;
    this.offsets[index + 2] = valueStart;
    this.offsets[index + 3] = valueEnd;
    this.count++;
    if (isControlHeader(this.bytes, nameStart, nameEnd)) this.controls.push(index);
  }

  private find(name: string): number {
    const length = name.length;
    const offsets = this.offsets;
    const total = this.count * NUMBERS;
    for (let index = 0; index < total; index += NUMBERS) {
      const start = offsets[index]!;
      if (offsets[index + 1]! - start === length && isNamed(this.bytes, start, name)) return index;
    }
    return -1;
  }
}

const NO_NAMES: readonly string[] = [];

/** Envoy sends names in lower case; other proxies need not. */
function isNamed(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}
