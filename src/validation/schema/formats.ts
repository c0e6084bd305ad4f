import { isIPv4, isIPv6 } from 'node:net';
import { parseDurationNanos } from './duration';

/**
 * String formats that an API server checks, as k8s.io/kube-openapi/pkg/validation/strfmt does. Other formats of a CustomResourceDefinition
 * (int32, int64, double, idn-hostname, …) it ignores, and so does this.
 */
export const STRING_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: isBase64,
  'base64-lines': (text) => isBase64(text.replace(/[\r\n]/g, '')),
  'date-time': isDateTime,
  date: (text) => isDate(text),
  duration: (text) => parseDurationNanos(text) !== undefined,
  uri: isRequestUri,
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
};

function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** RFC 3339 section 5.6; the separator and the zone may be lower case. */
function isDateTime(text: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})[tT](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[zZ]|[+-](\d{2}):?(\d{2}))$/.exec(text);
  if (match === null || !isDate(match[1]!)) return false;
  return Number(match[2]) < 24 && Number(match[3]) < 60 && Number(match[4]) < 60;
}

/** Go's url.ParseRequestURI: an absolute URI or an absolute path. Spaces may stand in a path; what follows `?` is not looked at. */
export function isRequestUri(text: string): boolean {
  const { scheme, rest } = /^(?:(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?<rest>[\s\S]*)$/.exec(text)!.groups as {
    scheme?: string;
    rest: string;
  };
  if (text === '' || hasControlCharacter(text)) return false;
  if (!rest.startsWith('/')) return scheme !== undefined || text === '*';
  const [authority, path] = scheme !== undefined && rest.startsWith('//') ? splitAuthority(rest.slice(2)) : ['', rest];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const isHost = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=<>"\u0080-\uffff-]*)(?::\d*)?$/.test(host);
  return isHost && !/%(?![0-9A-Fa-f]{2})/.test(path.replace(/\?[\s\S]*/, ''));
}

function splitAuthority(text: string): [string, string] {
  const end = text.search(/[/?]/);
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end)];
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function isIpv4(text: string): boolean {
  return isIPv4(text);
}

function isIpv6(text: string): boolean {
  return !text.includes('%') && isIPv6(text);
}

function isCidr(text: string): boolean {
  const match = /^(.*)\/(\d{1,3})$/.exec(text);
  if (match === null) return false;
  const bits = Number(match[2]);
  return (isIpv4(match[1]!) && bits <= 32) || (isIpv6(match[1]!) && bits <= 128);
}
