import { parseFlags } from '../../../src/picker-config/flag-parser';
import { PICKER_FLAGS } from '../../../src/picker-config/flags';
import { formatProblem } from '../../../src/shared/problem';

const SAMPLE = {
  text: 'x',
  integer: '7',
  boolean: 'true',
  duration: '7s',
  size: '7Mi',
  ports: '7,8',
  list: 'a,b',
  labels: 'app=a,example.com/tier=',
};

test("the command line of llm-d's file mode is taken without a word", () => {
  const line =
    '--pool-name epp --pool-namespace bench --config-file epp.yaml --grpc-port 19002 --grpc-health-port 19003 --metrics-port 19090 ' +
    '--secure-serving=false --health-checking=true --tracing=false --metrics-endpoint-auth=false --enable-pprof=false -v=1';
  const { values, problems, notices } = parseFlags(line.split(' '));
  expect(problems).toEqual([]);
  expect(notices).toEqual([]);
  expect(values.text('pool-name')).toBe('epp');
  expect(values.number('grpc-port')).toBe(19002);
  expect(values.boolean('secure-serving')).toBe(false);
  expect(values.number('v')).toBe(1);
  expect(values.number('drain-timeout')).toBe(30_000);
  expect(values.number('max-body')).toBe(16 * 2 ** 20);
});

test.each(
  PICKER_FLAGS.filter(({ status }) => status === 'honoured').map((spec) => [spec.name, spec] as const),
)('--%s is honoured', (name, spec) => {
  const sample = spec.choices?.[0] ?? SAMPLE[spec.type as keyof typeof SAMPLE];
  const { problems, notices } = parseFlags([`--${name}=${sample}`]);
  expect(problems).toEqual([]);
  expect(notices).toEqual([]);
});

test.each(
  PICKER_FLAGS.flatMap((spec) => {
    const values =
      spec.status === 'refused' ? [spec.choices?.[0] ?? SAMPLE[spec.type as keyof typeof SAMPLE]!] : (spec.refusedValues ?? []);
    return values.map((value) => [spec.name, value, spec.why] as const);
  }),
)('--%s=%s is refused by name, with what to do', (name, value, why) => {
  const { problems } = parseFlags([`--${name}=${value}`]);
  expect(problems.map(formatProblem)).toEqual([`AIG522 flag '--${name}' is not supported (got '${value}'): ${why}`]);
  expect(why!.length).toBeGreaterThan(20);
});

test.each(
  PICKER_FLAGS.filter((spec) => spec.status === 'accepted' && spec.refusedValues === undefined).map(
    (spec) => [spec.name, spec] as const,
  ),
)('--%s is accepted, and the log says that it has no effect', (name, spec) => {
  const { problems, notices } = parseFlags([`--${name}=${spec.choices?.[0] ?? SAMPLE[spec.type as keyof typeof SAMPLE]}`]);
  expect(problems).toEqual([]);
  expect(notices).toEqual([`--${name} has no effect: ${spec.why}`]);
});

test.each([
  [['--v', '1'], 'v', 1],
  [['-v', '3'], 'v', 3],
  [['-v4'], 'v', 4],
  [['-grpc-port=1'], 'grpc-port', 1],
  [['-grpc-port', '2'], 'grpc-port', 2],
  [['--grpc-port=1', '--grpc-port=3'], 'grpc-port', 3],
  [['--drain-timeout', '1m30s'], 'drain-timeout', 90_000],
])('%j sets %s to %p', (argv, name, expected) => {
  const { values, problems } = parseFlags(argv);
  expect(problems).toEqual([]);
  expect(values.number(name)).toBe(expected);
});

test('a text is unset by an empty value', () => {
  expect(parseFlags(['--cert-path=']).values.text('cert-path')).toBeUndefined();
  expect(parseFlags(['-zap-encoder', 'json']).values.text('zap-encoder')).toBe('json');
  expect(parseFlags(['--tls-cipher-suites=A, B']).values.list('tls-cipher-suites')).toEqual(['A', 'B']);
});

test.each([
  [['--pool-nam', 'x'], "AIG520 unknown flag '--pool-nam': did you mean 'pool-name'?"],
  [['-poolName', 'x'], "did you mean 'pool-name'?"],
  [['--secure-serving', 'false'], 'write --secure-serving=false'],
  [['serve'], "AIG520 an argument is not a flag (got 'serve')"],
  [['--grpc-port'], "AIG521 flag '--grpc-port' needs a value"],
  [['--grpc-port=70000'], "got '70000'; allowed: 0 to 65535"],
  [['--grpc-port=x'], "got 'x'"],
  [['--secure-serving=yes'], "got 'yes'; allowed: true, false"],
  [['--drain-timeout=30'], 'a duration such as'],
  [['--max-body=0'], 'a size above 0'],
  [['--tls-min-version=TLS1'], 'allowed: VersionTLS12, VersionTLS13'],
  [['--endpoint-target-ports=1,x'], 'port numbers with commas'],
  [['--endpoint-selector=app'], "such as 'app=vllm,tier=chat'"],
  [['--endpoint-selector=app=a,'], 'labels and their values'],
  [['--endpoint-selector=app in (a,b)'], 'labels and their values'],
  [['--endpoint-selector=-app=a'], 'labels and their values'],
  [['--pool-group=x'], 'allowed: inference.networking.k8s.io'],
])('%j is refused', (argv, message) => {
  const { problems } = parseFlags(argv);
  expect(problems.map(formatProblem)).toEqual([expect.stringContaining(message)]);
});

test('all faults of a command line are found at once', () => {
  expect(parseFlags(['--x=1', '--grpc-port=y', '--endpoint-selector=app', 'z']).problems).toHaveLength(4);
});
