import { CONTROL_HEADERS } from '../../../shared/control-headers';
import type { HeaderList, PickerReply } from './messages';

/** Headers of one connection, which a proxy does not pass on (RFC 9110, 7.6.1), and `host`, which is `:authority` to pickers. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);
const CONTROL = new Set(CONTROL_HEADERS);

/** Node's flat list of names and values, without the headers of one connection. */
export function headerList(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    if (!HOP_BY_HOP.has(name)) list.push([name, raw[index + 1]!]);
  }
  return list;
}

/** Without what steers routing, priority or identity: a client's copies are removed before anybody sees them. */
export function withoutControlHeaders(headers: HeaderList): [string, string][] {
  return headers.filter(([name]) => !CONTROL.has(name)).map(([name, value]) => [name, value]);
}

export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1];
}

/** Envoy removes before it sets. */
export function changed(headers: HeaderList, { set, remove }: PickerReply): [string, string][] {
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  return [...headers.filter(([name]) => !gone.has(name)), ...set].map(([name, value]) => [name, value]);
}

/** As Node sends them: pseudo-headers are not headers in HTTP/1.1. */
export function flat(headers: HeaderList): string[] {
  return headers.filter(([name]) => !name.startsWith(':')).flat();
}
