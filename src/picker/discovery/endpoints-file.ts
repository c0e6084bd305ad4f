import { isIP } from 'node:net';
import { ConfigCode } from '../../picker-config/codes';
import { ConfigDocument } from '../../picker-config/config-document';
import type { ConfigNode } from '../../picker-config/config-node';
import type { Problem } from '../../shared/problem';

/** One entry of the file. */
export interface FileEndpoint {
  readonly name: string;
  /** @default none */
  readonly namespace?: string;
  /** An address in its canonical form, or a host name. */
  readonly host: string;
  readonly isHostName: boolean;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** The entries, or every reason why there are none. */
export interface ParsedEndpointsFile {
  readonly endpoints: readonly FileEndpoint[] | undefined;
  readonly problems: readonly Problem[];
}

/** RFC 1123, with an optional final dot. At least one letter, or a mistyped address would be taken for a name. */
const HOST_NAME =
  /^(?=.*[a-z])(?=.{1,254}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;

/**
 * Parses llm-d's endpoints file: `endpoints: [{name, namespace?, address, port: "8000", labels?}]`. Beyond llm-d, an address may be IPv6
 * or a host name, and a port may be a number. Strict: unknown keys, and names or addresses that occur twice, are faults.
 * @param file name for positions
 */
export function parseEndpointsFile(text: string, file: string): ParsedEndpointsFile {
  const document = new ConfigDocument(text, file);
  const list = document.root?.fields(['endpoints'])?.required('endpoints', 'list the endpoints, or write [] for none')?.list();
  const endpoints = list?.flatMap((node) => parseEndpoint(node) ?? []) ?? [];
  if (list !== undefined) refuseRepeated(list, document.problems);
  return document.problems.length > 0 ? { endpoints: undefined, problems: document.problems } : { endpoints, problems: [] };
}

/** An IPv6 address as proxies write it, so that it can be compared as text; others as they are. */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 && !address.includes('%') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

function parseEndpoint(node: ConfigNode): FileEndpoint | undefined {
  const fields = node.fields(['name', 'namespace', 'address', 'port', 'labels']);
  if (fields === undefined) return undefined;
  const name = fields.required('name', 'give the endpoint a name')?.text({ pattern: /^\S+$/, words: 'a name without blanks' });
  const namespace = fields.get('namespace')?.text();
  const address = fields.required('address', 'give an IP address or a host name');
  const host = address === undefined ? undefined : parseHost(address);
  const port = fields.required('port', 'give the port that the engine listens on');
  const portNumber = port === undefined ? undefined : parsePort(port);
  const labels = parseLabels(fields.get('labels'));
  if (name === undefined || host === undefined || portNumber === undefined) return undefined;
  return { name, ...(namespace === undefined ? {} : { namespace }), ...host, port: portNumber, labels };
}

function parseHost(node: ConfigNode): Pick<FileEndpoint, 'host' | 'isHostName'> | undefined {
  const text = node.text();
  if (text === undefined) return undefined;
  if (isIP(text) !== 0) return { host: canonicalAddress(text), isHostName: false };
  if (HOST_NAME.test(text)) return { host: text.toLowerCase(), isHostName: true };
  return node.fault(ConfigCode.BAD_VALUE, `'${node.path}' is neither an address nor a host name`, {
    value: text,
    allowed: 'an IPv4 address, an IPv6 address without brackets, a DNS name',
    fix: 'write the address alone; the port has a key of its own',
  });
}

function parsePort(node: ConfigNode): number | undefined {
  const value = node.plain();
  const port =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  return node.fault(ConfigCode.BAD_VALUE, `'${node.path}' is not a port`, {
    value: typeof value === 'object' ? 'a list or mapping' : value,
    allowed: '1 to 65535',
    fix: 'correct the port',
  });
}

function parseLabels(node: ConfigNode | undefined): Record<string, string> {
  const labels = [...(node?.entries() ?? [])].map(([name, entry]) => [name, entry.text() ?? ''] as const);
  // fromEntries defines own properties, so a label '__proto__' stays data
  return Object.fromEntries(labels);
}

function refuseRepeated(list: readonly ConfigNode[], problems: Problem[]): void {
  const seen = new Map<string, string>();
  for (const node of list) {
    // read again from the plain value, so that faults elsewhere in the entry do not hide this one
    const value = node.plain();
    if (typeof value !== 'object' || value === null) continue;
    const { name, namespace = '', address, port } = value as Record<string, unknown>;
    for (const [what, key] of [
      ['name', name === undefined ? undefined : `${String(namespace)}/${String(name)}`],
      [
        'address and port',
        address === undefined ? undefined : `${canonicalAddress(String(address)).toLowerCase()} ${String(port)}`,
      ],
    ] as const) {
      if (key === undefined) continue;
      const first = seen.get(`${what} ${key}`);
      if (first === undefined) {
        seen.set(`${what} ${key}`, node.where);
        continue;
      }
      problems.push({
        code: ConfigCode.DUPLICATE_NAME,
        what: `two endpoints have the same ${what}`,
        value: key.trim(),
        fix: `change one of them; the first is at ${first}`,
        where: node.where,
      });
    }
  }
}
