import { limitsFor, openPort } from '../../../../src/picker/program/listeners';
import { programLogLevel, programSettings } from '../../../../src/picker/program/settings';
import { parseFlags } from '../../../../src/picker-config/flag-parser';
import { formatProblem } from '../../../../src/shared/problem';

const POOL = '--pool-name=p';

function settingsOf(argv: readonly string[], namespace?: string) {
  const { values, problems } = parseFlags(argv);
  expect(problems).toEqual([]);
  return programSettings(values, namespace);
}

test('no more than a pool is needed, and the defaults are those of the reference', () => {
  const { settings, problems } = settingsOf([POOL]);
  expect(problems).toEqual([]);
  expect(settings).toEqual({
    pool: {
      flag: 'pool-name',
      name: 'p',
      discovery: { kind: 'inferencePool', name: 'p', namespace: 'default', group: 'inference.networking.k8s.io' },
    },
    poolNamespace: 'default',
    config: { kind: 'none' },
    explainsRequests: false,
    peers: undefined,
    pluginFile: undefined,
    policyFile: undefined,
    ports: { grpc: 9002, health: 9003, metrics: 9090 },
    bindAddress: undefined,
    debug: { host: '127.0.0.1', port: 9091, isDefault: true },
    tls: { directory: undefined, reload: false, minVersion: 'TLSv1.2', cipherSuites: [] },
    metricsTls: undefined,
    drainTimeoutMs: 30_000,
    scrapeIntervalMs: 50,
    maxBodyBytes: 16 * 2 ** 20,
    maxMessageBytes: undefined,
    healthOnGrpcPort: false,
    streamMetrics: false,
    allowExperimental: false,
    ignoreSubset: false,
    trustsHeaders: true,
  });
});

test.each([
  [['--pool-namespace=a'], 'b', 'a'],
  [[], 'b', 'b'],
  [[], undefined, 'default'],
])('with %j and NAMESPACE %p the namespace is %s', (argv, namespace, expected) => {
  expect(settingsOf([POOL, ...argv], namespace).settings.poolNamespace).toBe(expected);
});

test.each([
  ['0.0.0.0:1234', { host: '0.0.0.0', port: 1234, isDefault: false }],
  ['[::1]:1', { host: '::1', port: 1, isDefault: false }],
  ['off', undefined],
])('the debug pages are at %s', (address, expected) => {
  expect(settingsOf([POOL, `--debug-address=${address}`]).settings.debug).toEqual(expected);
});

const LABELS = '--endpoint-selector=app=a,example.com/tier=';

test('pods by label are a pool as well', () => {
  expect(settingsOf([LABELS, '--endpoint-target-ports=8000,8001', '--pool-namespace=ai']).settings.pool).toEqual({
    flag: 'endpoint-selector',
    name: 'app=a,example.com/tier=',
    discovery: { kind: 'selector', namespace: 'ai', matchLabels: { app: 'a', 'example.com/tier': '' }, ports: [8000, 8001] },
  });
});

test.each([
  [[POOL, LABELS, '--endpoint-target-ports=1'], 'AIG523 --pool-name and --endpoint-selector are both set'],
  [[LABELS], 'AIG523 --endpoint-selector needs --endpoint-target-ports'],
  [[POOL, '--endpoint-target-ports=1'], 'AIG523 --endpoint-target-ports needs --endpoint-selector'],
  [[LABELS, '--endpoint-target-ports=1,2,3,4,5,6,7,8,9'], 'allowed: 1 to 8 different ports'],
  [[LABELS, '--endpoint-target-ports=1,1'], "got '1,1'"],
  [[POOL, '--config-file=a', '--config-text=b'], 'AIG523 --config-file and --config-text are both set'],
  [[POOL, '--metrics-client-ca-file=a'], 'AIG523 --metrics-client-ca-file needs TLS'],
  [[POOL, '--tls-cipher-suites=TLS_A'], "AIG521 a suite of --tls-cipher-suites cannot be used with HTTP/2 (got 'TLS_A'"],
  [[POOL, '--refresh-metrics-interval=0s'], 'AIG521 --refresh-metrics-interval is too short'],
  [[POOL, '--debug-address=9091'], "AIG521 flag '--debug-address' has a wrong value (got '9091'; allowed: host:port, or off)"],
  [[POOL, '--debug-address=a:99999'], "got 'a:99999'"],
  [[POOL, '--zap-log-level=loud'], "AIG521 flag '--zap-log-level' has a wrong value"],
])('%j is refused', (argv, message) => {
  expect(settingsOf(argv).problems.map(formatProblem)).toEqual([expect.stringContaining(message)]);
});

test.each([
  [[], 'info'],
  [['-v=1'], 'info'],
  [['-v=4'], 'trace'],
  [['-v=4', '--zap-log-level=error'], 'error'],
  [['--zap-log-level=3'], 'debug'],
  [['--zap-log-level=panic'], 'fatal'],
])('%j logs at %s', (argv, level) => {
  expect(programLogLevel(parseFlags(argv).values)).toBe(level);
});

function failing(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test('a machine without IPv6 listens on IPv4', async () => {
  const hosts: string[] = [];
  const listen = async (_: number, host: string): Promise<void> => {
    hosts.push(host);
    if (host === '::') throw failing('EAFNOSUPPORT');
  };
  expect(await openPort(listen, 'grpc-port', 9002, undefined)).toBeUndefined();
  expect(hosts).toEqual(['::', '0.0.0.0']);
});

test('a port that cannot be opened is named with its flag', async () => {
  const listen = async (): Promise<void> => {
    throw failing('EACCES');
  };
  const problem = await openPort(listen, 'grpc-port', 80, '10.0.0.1');
  expect(formatProblem(problem!)).toBe(
    "AIG531 the port of --grpc-port cannot be opened: EACCES (got '10.0.0.1:80'): free the port, or set --grpc-port to another one",
  );
});

test('a larger body may be buffered, a smaller one leaves the limits alone', () => {
  expect(limitsFor(64 * 2 ** 20).maxStreamBufferedBytes).toBe(4 * 48 * 2 ** 20);
  expect(limitsFor(1).maxStreamBufferedBytes).toBe(48 * 2 ** 20);
});
