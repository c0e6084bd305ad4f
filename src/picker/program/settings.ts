import { ConfigCode } from '../../picker-config/codes';
import type { FlagValues } from '../../picker-config/flag-parser';
import type { PoolGroup } from '../../picker-config/picker-policy';
import type { Problem } from '../../shared/problem';
import type { PeerAddress } from '../peers/peer-exchange';
import { GO_CIPHER_SUITES } from '../server/cipher-suites';
import { logLevel } from '../telemetry/log';
import type { DiscoverySettings } from './pool-plan';

/** What the program was told on its command line, in the words of the program. */
export interface ProgramSettings {
  /** Undefined when the policy names the pools. */
  readonly pool: FlagPool | undefined;
  /** Namespace of pools that name none. */
  readonly poolNamespace: string;
  readonly config: ConfigSource;
  readonly policyFile: string | undefined;
  /** File with scorers of the user. */
  readonly pluginFile: string | undefined;
  /** Other replicas; undefined for none. */
  readonly peers: PeerFlags | undefined;
  readonly ports: { readonly grpc: number; readonly health: number; readonly metrics: number };
  /** Undefined for all addresses. */
  readonly bindAddress: string | undefined;
  /** Undefined for no debug pages. */
  readonly debug: DebugSettings | undefined;
  /** Undefined for plain text. */
  readonly tls: TlsSettings | undefined;
  readonly metricsTls: { readonly directory: string; readonly clientCaFile: string | undefined } | undefined;
  readonly drainTimeoutMs: number;
  readonly scrapeIntervalMs: number;
  readonly maxBodyBytes: number;
  readonly maxMessageBytes: number | undefined;
  /** Health on the port of ext_proc too. */
  readonly healthOnGrpcPort: boolean;
  readonly streamMetrics: boolean;
  readonly allowExperimental: boolean;
  readonly ignoreSubset: boolean;
  /** Requests may ask for the explanation of their decision. */
  readonly explainsRequests: boolean;
  /** Without a policy: objective and tenant are what the request's headers say. */
  readonly trustsHeaders: boolean;
}

/** The one pool that flags name. */
export interface FlagPool {
  /** The flag that names it. */
  readonly flag: 'pool-name' | 'endpoint-selector';
  /** What metrics call it. */
  readonly name: string;
  /** How its endpoints are found, unless the configuration says. */
  readonly discovery: DiscoverySettings;
}

/** How other replicas are found. */
export interface PeerFlags {
  readonly addresses: readonly PeerAddress[];
  readonly port: number;
  readonly secretFile: string | undefined;
}

export type ConfigSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' };

export interface DebugSettings {
  readonly host: string;
  readonly port: number;
  /** Nobody asked for it: do without when the port is taken. */
  readonly isDefault: boolean;
}

export interface TlsSettings {
  /** Undefined for a certificate made at start. */
  readonly directory: string | undefined;
  readonly reload: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Go names. */
  readonly cipherSuites: readonly string[];
}

/** llm-d raises values below 50 ms to it, because a scrape costs it more; here they mean what they say. */
const MIN_SCRAPE_INTERVAL_MS = 1;

/** Settings from flags, or every combination of flags that makes no sense. @param namespace NAMESPACE of the environment */
export function programSettings(
  flags: FlagValues,
  namespace: string | undefined,
): { settings: ProgramSettings; problems: Problem[] } {
  const problems: Problem[] = [];
  const refuse = (code: string, what: string, fix: string, facts: Pick<Problem, 'value' | 'allowed'> = {}): void => {
    problems.push({ code, what, ...facts, fix });
  };
  const poolNamespace = flags.text('pool-namespace') ?? namespace ?? 'default';
  const pool = flagPool(flags, poolNamespace, refuse);
  const file = flags.text('config-file');
  const text = flags.text('config-text');
  if (file !== undefined && text !== undefined) {
    refuse(ConfigCode.FLAG_COMBINATION, '--config-file and --config-text are both set', 'keep one of them');
  }
  const metricsDirectory = flags.text('metrics-cert-dir');
  const clientCaFile = flags.text('metrics-client-ca-file');
  if (clientCaFile !== undefined && metricsDirectory === undefined) {
    refuse(ConfigCode.FLAG_COMBINATION, '--metrics-client-ca-file needs TLS on the metrics port', 'set --metrics-cert-dir');
  }
  const cipherSuites = flags.list('tls-cipher-suites');
  for (const suite of cipherSuites) {
    if (GO_CIPHER_SUITES.includes(suite)) continue;
    const facts = { value: suite, allowed: GO_CIPHER_SUITES.join(', ') };
    refuse(ConfigCode.BAD_FLAG_VALUE, 'a suite of --tls-cipher-suites cannot be used with HTTP/2', 'remove it', facts);
  }
  const scrapeIntervalMs = flags.number('refresh-metrics-interval');
  if (scrapeIntervalMs < MIN_SCRAPE_INTERVAL_MS) {
    const facts = { value: `${scrapeIntervalMs}ms`, allowed: `at least ${MIN_SCRAPE_INTERVAL_MS}ms` };
    refuse(ConfigCode.BAD_FLAG_VALUE, '--refresh-metrics-interval is too short', 'raise it', facts);
  }
  const debug = readDebugAddress(flags.text('debug-address'), refuse);
  const level = flags.text('zap-log-level');
  if (level !== undefined && !/^(debug|info|error|panic|\d{1,2})$/.test(level)) {
    const facts = { value: level, allowed: 'debug, info, error, panic, or a whole number' };
    refuse(ConfigCode.BAD_FLAG_VALUE, "flag '--zap-log-level' has a wrong value", 'correct the value', facts);
  }
  const settings: ProgramSettings = {
    pool,
    poolNamespace,
    config: file !== undefined ? { kind: 'file', path: file } : text !== undefined ? { kind: 'text', text } : { kind: 'none' },
    policyFile: flags.text('policy-file'),
    pluginFile: flags.text('plugin-file'),
    peers: readPeers(flags, refuse),
    ports: { grpc: flags.number('grpc-port'), health: flags.number('grpc-health-port'), metrics: flags.number('metrics-port') },
    bindAddress: flags.text('bind-address'),
    debug,
    tls: flags.boolean('secure-serving')
      ? {
          directory: flags.text('cert-path'),
          reload: flags.boolean('enable-cert-reload'),
          minVersion: flags.text('tls-min-version') === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2',
          cipherSuites,
        }
      : undefined,
    metricsTls: metricsDirectory === undefined ? undefined : { directory: metricsDirectory, clientCaFile },
    drainTimeoutMs: flags.number('drain-timeout'),
    scrapeIntervalMs,
    maxBodyBytes: flags.number('max-body'),
    maxMessageBytes: flags.optionalNumber('grpc-max-recv-msg-size'),
    healthOnGrpcPort: flags.boolean('health-checking'),
    streamMetrics: flags.boolean('enable-grpc-stream-metrics'),
    allowExperimental: flags.boolean('allow-experimental-plugins'),
    ignoreSubset: flags.boolean('disable-endpoint-subset-filter'),
    explainsRequests: flags.boolean('explain-requests'),
    trustsHeaders: flags.boolean('trust-objective-headers'),
  };
  return { settings, problems };
}

/** Level of the log; a wrong `--zap-log-level` is reported by `programSettings`, through this log. */
export function programLogLevel(flags: FlagValues): string {
  const level = flags.text('zap-log-level');
  if (level === undefined) return logLevel(flags.number('v'));
  if (/^\d{1,2}$/.test(level)) return logLevel(Number(level));
  return level === 'panic' ? 'fatal' : ['debug', 'error'].includes(level) ? level : 'info';
}

type Refuse = (code: string, what: string, fix: string, facts?: Pick<Problem, 'value' | 'allowed'>) => void;

/** llm-d's `maxItems` of an InferencePool's ports holds for the flag as well. */
const MAX_TARGET_PORTS = 8;

function flagPool(flags: FlagValues, namespace: string, refuse: Refuse): FlagPool | undefined {
  const name = flags.text('pool-name');
  const selector = flags.text('endpoint-selector');
  const ports = flags.ports('endpoint-target-ports');
  if (name !== undefined && selector !== undefined)
    refuse(ConfigCode.FLAG_COMBINATION, '--pool-name and --endpoint-selector are both set', 'keep one of them');
  if (selector === undefined && ports.length > 0) {
    const fix = 'set --endpoint-selector, or remove --endpoint-target-ports: an InferencePool has its own ports';
    refuse(ConfigCode.FLAG_COMBINATION, '--endpoint-target-ports needs --endpoint-selector', fix);
  }
  if (selector === undefined) {
    // the flag has no other values
    const group = flags.text('pool-group') as PoolGroup;
    return name === undefined
      ? undefined
      : { flag: 'pool-name', name, discovery: { kind: 'inferencePool', name, namespace, group } };
  }
  if (ports.length === 0)
    refuse(ConfigCode.FLAG_COMBINATION, '--endpoint-selector needs --endpoint-target-ports', 'name the ports of the engines');
  if (ports.length > MAX_TARGET_PORTS || new Set(ports).size < ports.length) {
    const facts = { value: ports.join(','), allowed: `1 to ${MAX_TARGET_PORTS} different ports` };
    refuse(ConfigCode.BAD_FLAG_VALUE, "flag '--endpoint-target-ports' has a wrong value", 'correct the ports', facts);
  }
  const matchLabels = Object.fromEntries(selector.split(',').map((pair) => pair.split('=')));
  return { flag: 'endpoint-selector', name: selector, discovery: { kind: 'selector', namespace, matchLabels, ports } };
}

function readPeers(flags: FlagValues, refuse: Refuse): PeerFlags | undefined {
  const secretFile = flags.text('peer-secret-file');
  const given = flags.list('peers').filter((address) => address !== '');
  if (given.length === 0) {
    if (secretFile !== undefined)
      refuse(ConfigCode.FLAG_COMBINATION, '--peer-secret-file needs --peers', 'name the other replicas, or remove it');
    return undefined;
  }
  const addresses = given.flatMap((address) => {
    const found = hostAndPort(address);
    if (found === undefined) {
      const facts = { value: address, allowed: 'host:port, with brackets around IPv6' };
      refuse(ConfigCode.BAD_FLAG_VALUE, "flag '--peers' has a wrong value", 'write for example picker-peers:9004', facts);
    }
    return found ?? [];
  });
  return { addresses, port: flags.number('peer-port'), secretFile };
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(address);
  return match === null || Number(match[3]) > 65_535 ? undefined : { host: match[1] ?? match[2]!, port: Number(match[3]) };
}

function readDebugAddress(address: string | undefined, refuse: Refuse): DebugSettings | undefined {
  if (address === 'off') return undefined;
  if (address === undefined) return { host: '127.0.0.1', port: 9091, isDefault: true };
  const found = hostAndPort(address);
  if (found !== undefined) return { ...found, isDefault: false };
  const facts = { value: address, allowed: 'host:port, or off' };
  refuse(ConfigCode.BAD_FLAG_VALUE, "flag '--debug-address' has a wrong value", 'write for example 127.0.0.1:9091', facts);
  return undefined;
}
