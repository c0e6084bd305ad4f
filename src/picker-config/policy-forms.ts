import { ConfigCode } from './codes';
import type { ConfigNode, TextForm } from './config-node';

export const DNS_LABEL: TextForm = {
  pattern: /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
  words: 'a DNS label (a-z, 0-9 and -; at most 63)',
};
export const MODEL_NAME: TextForm = {
  pattern: /^[\x21-\x7e]{1,256}$/,
  words: '1 to 256 printable ASCII characters without spaces',
};
/** RFC 9110, 5.6.2, in the lower case of HTTP/2. */
export const HEADER_NAME: TextForm = { pattern: /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, words: 'a header name in lower case' };
export const NOT_EMPTY: TextForm = { pattern: /\S/, words: 'a text that is not empty' };
export const HOST: TextForm = { pattern: /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?\.?$/, words: 'a host name' };
export const HOST_AND_PORT: TextForm = { pattern: /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9_.-]+):\d{1,5}$/, words: 'host:port' };

/** The entries of a list that could be read; none when there is no list. */
export function all<T>(node: ConfigNode | undefined, read: (entry: ConfigNode) => T | undefined): T[] {
  return (node?.list() ?? []).map(read).filter((value) => value !== undefined) as T[];
}

export function textMap(node: ConfigNode | undefined): Record<string, string> | undefined {
  const entries = node?.entries();
  if (node === undefined || entries === undefined) return undefined;
  if (entries.size === 0)
    return node.fault(ConfigCode.MISSING_KEY, `'${node.path}' is empty`, { fix: 'give at least one entry' });
  const texts = [...entries].map(([key, value]) => [key, value.text()] as const);
  return texts.every(([, value]) => value !== undefined) ? (Object.fromEntries(texts) as Record<string, string>) : undefined;
}

/** `{[key]: value}`, or nothing when the value is undefined. */
export function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
