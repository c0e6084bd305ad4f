/** How the text of a flag is read. */
export type FlagType = 'text' | 'integer' | 'boolean' | 'duration' | 'size' | 'ports' | 'list' | 'labels' | 'choice';

/** One flag of the picker. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  /** One-letter form. */
  readonly short?: string;
  readonly type: FlagType;
  /** As it would be written; undefined when the flag is unset by default. */
  readonly default?: string;
  /** Values of a choice. */
  readonly choices?: readonly string[];
  /** Bounds of an integer. */
  readonly min?: number;
  readonly max?: number;
  readonly origin: 'llm-d' | 'ours';
  /** `accepted`: takes its values without an effect, said in one log line. `refused`: the picker does not start with it. */
  readonly status: 'honoured' | 'accepted' | 'refused';
  /** Values of an accepted or honoured flag that ask for something this picker does not do: they are refused. */
  readonly refusedValues?: readonly string[];
  /** What it does. */
  readonly summary: string;
  /** Why it is not honoured (or not wholly), and what to do instead. */
  readonly why?: string;
}

type Extras = Partial<Pick<FlagSpec, 'short' | 'choices' | 'min' | 'max' | 'refusedValues' | 'why'>>;

function llmd(
  name: string,
  type: FlagType,
  byDefault: string | undefined,
  status: FlagSpec['status'],
  summary: string,
  extras: Extras = {},
): FlagSpec {
  return { name, type, ...(byDefault === undefined ? {} : { default: byDefault }), origin: 'llm-d', status, summary, ...extras };
}

function ours(name: string, type: FlagType, byDefault: string | undefined, summary: string, extras: Extras = {}): FlagSpec {
  const defaults = byDefault === undefined ? {} : { default: byDefault };
  return { name, type, ...defaults, origin: 'ours', status: 'honoured', summary, ...extras };
}

const PORT = { min: 0, max: 65_535 };
const METRIC_NAMES = 'name the metrics in the parameters of core-metrics-extractor, as llm-d wants it too';

/** Every flag of llm-d's picker v0.10 (`pkg/epp/server/options.go`), and then those that only this picker has. */
export const PICKER_FLAGS: readonly FlagSpec[] = [
  llmd('pool-name', 'text', undefined, 'honoured', 'name of the InferencePool; also the name of the pool in metrics'),
  llmd(
    'pool-namespace',
    'text',
    undefined,
    'honoured',
    'namespace of the InferencePool (NAMESPACE from the environment, else default)',
  ),
  llmd('pool-group', 'choice', 'inference.networking.k8s.io', 'honoured', 'API group of the InferencePool', {
    choices: ['inference.networking.k8s.io', 'inference.networking.x-k8s.io'],
  }),
  llmd(
    'endpoint-selector',
    'labels',
    undefined,
    'honoured',
    'labels of the model server pods in pool-namespace, instead of an InferencePool: no custom resource is needed',
  ),
  llmd('endpoint-target-ports', 'ports', undefined, 'honoured', 'ports of the selected pods, 1 to 8 (with endpoint-selector)'),
  llmd('disable-endpoint-subset-filter', 'boolean', 'false', 'honoured', 'ignore the subset of endpoints that the proxy names'),
  llmd('emit-endpoint-scores', 'boolean', 'false', 'accepted', 'add the scores of all endpoints to the dynamic metadata', {
    refusedValues: ['true'],
    why: 'scores are shown by /debug/decisions on debug-address instead',
  }),
  llmd('grpc-port', 'integer', '9002', 'honoured', 'port of ext_proc', PORT),
  llmd('grpc-health-port', 'integer', '9003', 'honoured', 'port of the gRPC health service, in plain text', PORT),
  llmd('metrics-port', 'integer', '9090', 'honoured', 'port of /metrics', PORT),
  llmd(
    'grpc-max-recv-msg-size',
    'size',
    undefined,
    'honoured',
    'largest ext_proc message that is received (default: max-body and 1 MiB)',
  ),
  llmd('grpc-max-send-msg-size', 'size', undefined, 'accepted', 'largest ext_proc message that is sent', {
    why: 'no message sent is larger than 64 KiB, which is what Envoy takes',
  }),
  llmd('ha-enable-leader-election', 'boolean', 'false', 'accepted', 'let only one replica be ready', {
    refusedValues: ['true'],
    why: 'every replica of this picker serves: remove the flag',
  }),
  llmd('drain-timeout', 'duration', '30s', 'honoured', 'how long running requests may take to finish after SIGTERM'),
  llmd(
    'refresh-metrics-interval',
    'duration',
    '50ms',
    'honoured',
    'how often the metrics of a busy endpoint are read; an idle one is asked less often',
  ),
  llmd('refresh-prometheus-metrics-interval', 'duration', '5s', 'accepted', 'how often the pool gauges are brought up to date', {
    why: 'the gauges are computed when /metrics is read',
  }),
  llmd('metrics-staleness-threshold', 'duration', '2s', 'accepted', 'age from which metrics of an endpoint count as stale', {
    why: 'a report counts less and less as it ages, instead of not at all from one moment on',
  }),
  llmd('total-queued-requests-metric', 'text', undefined, 'refused', 'name of an engine metric', { why: METRIC_NAMES }),
  llmd('total-running-requests-metric', 'text', undefined, 'refused', 'name of an engine metric', { why: METRIC_NAMES }),
  llmd('kv-cache-usage-percentage-metric', 'text', undefined, 'refused', 'name of an engine metric', { why: METRIC_NAMES }),
  llmd('lora-info-metric', 'text', undefined, 'refused', 'name of an engine metric', { why: METRIC_NAMES }),
  llmd('cache-info-metric', 'text', undefined, 'refused', 'name of an engine metric', { why: METRIC_NAMES }),
  llmd('config-file', 'text', undefined, 'honoured', 'file with the EndpointPickerConfig; watched'),
  llmd('config-text', 'text', undefined, 'honoured', 'the EndpointPickerConfig itself, instead of config-file'),
  llmd('allow-experimental-plugins', 'boolean', 'false', 'honoured', 'allow Alpha plugins'),
  llmd('secure-serving', 'boolean', 'true', 'honoured', 'serve ext_proc with TLS'),
  llmd('cert-path', 'text', undefined, 'honoured', 'directory with tls.crt and tls.key (default: self-signed, made at start)'),
  llmd('enable-cert-reload', 'boolean', 'false', 'honoured', 'load tls.crt and tls.key again when they change'),
  llmd('tls-min-version', 'choice', 'VersionTLS12', 'honoured', 'lowest TLS version', {
    choices: ['VersionTLS12', 'VersionTLS13'],
  }),
  llmd('tls-cipher-suites', 'list', undefined, 'honoured', 'cipher suites of TLS 1.2, by their Go names'),
  llmd(
    'metrics-endpoint-auth',
    'boolean',
    'true',
    'accepted',
    'check readers of /metrics with TokenReview and SubjectAccessReview',
    {
      refusedValues: ['true'],
      why: 'it needs the Kubernetes API: restrict the port with a NetworkPolicy or with metrics-client-ca-file, and set it to false',
    },
  ),
  llmd('metrics-cert-dir', 'text', undefined, 'honoured', 'directory with tls.crt and tls.key: serve /metrics with TLS'),
  llmd(
    'metrics-client-ca-file',
    'text',
    undefined,
    'honoured',
    'CA of the clients that may read /metrics (needs metrics-cert-dir)',
  ),
  llmd('health-checking', 'boolean', 'false', 'honoured', 'serve the health service on the port of ext_proc as well'),
  llmd('enable-pprof', 'boolean', 'true', 'accepted', 'serve Go profiles', {
    refusedValues: ['true'],
    why: 'this picker is no Go program: use node --cpu-prof, and set it to false',
  }),
  llmd('enable-grpc-stream-metrics', 'boolean', 'false', 'honoured', 'count ext_proc streams, their duration and their status'),
  llmd('tracing', 'boolean', 'true', 'accepted', 'emit traces', {
    refusedValues: ['true'],
    why: 'traces are not emitted yet: set it to false',
  }),
  llmd('v', 'integer', '2', 'honoured', 'verbosity of the log: up to 2 info, 3 debug, from 4 on trace', {
    short: 'v',
    min: 0,
    max: 10,
  }),
  llmd('zap-devel', 'boolean', 'true', 'accepted', 'defaults of the log for development', {
    why: 'the log is JSON with the level of v',
  }),
  llmd('zap-encoder', 'choice', 'json', 'accepted', 'form of the log', {
    choices: ['json', 'console'],
    refusedValues: ['console'],
    why: 'the log is JSON, one object a line',
  }),
  llmd(
    'zap-log-level',
    'text',
    undefined,
    'honoured',
    'level of the log: debug, info, error, panic or a verbosity; goes before v',
  ),
  llmd('zap-stacktrace-level', 'choice', 'error', 'accepted', 'level from which the log has stack traces', {
    choices: ['info', 'error', 'panic'],
    why: 'errors have their stack where there is one',
  }),
  llmd('zap-time-encoding', 'choice', 'epoch', 'accepted', 'form of times in the log', {
    choices: ['epoch', 'millis', 'nano', 'iso8601', 'rfc3339', 'rfc3339nano'],
    why: 'times are RFC 3339 with milliseconds',
  }),
  ours('policy-file', 'text', undefined, 'file with a PickerPolicy: pools, models, identity, limits; watched'),
  ours(
    'peers',
    'list',
    undefined,
    'host:port of the other replicas, or of a name with an address for each: they tell each other what they have under way (default: none)',
  ),
  ours('peer-port', 'integer', '9004', 'port that other replicas connect to (with peers)', PORT),
  ours('peer-secret-file', 'text', undefined, 'file with a secret that replicas prove to each other (with peers)'),
  ours(
    'trust-objective-headers',
    'boolean',
    'true',
    'without a policy-file, the headers of a request name its objective and its tenant, as for llm-d; false where clients can send them',
  ),
  ours(
    'explain-requests',
    'boolean',
    'false',
    'a request with the header x-aig-explain gets the reasons of its decision in the answer, as x-aig-decision: for those who may know the pods',
  ),
  ours('plugin-file', 'text', undefined, 'file with scorers of your own, as the constructs make it; read at start'),
  ours('max-body', 'size', '16Mi', 'largest request body; a larger one is answered with 413'),
  ours('bind-address', 'text', undefined, 'address that the ports are opened on (default: all)'),
  ours('debug-address', 'text', undefined, 'host:port of the /debug pages, or off (default: 127.0.0.1:9091, if it is free)'),
  ours('help', 'boolean', 'false', 'print the flags'),
  ours('version', 'boolean', 'false', 'print the version'),
];
