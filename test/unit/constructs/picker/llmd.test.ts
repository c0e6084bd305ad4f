import { EndpointPicker } from '../../../../src/constructs/endpoint-picker';
import { ApiGeneration } from '../../../../src/constructs/values/api-generation';
import { PickerDelivery } from '../../../../src/constructs/values/picker-delivery';
import { Scoring } from '../../../../src/constructs/values/scoring';
import { EMPTY_PICKER_POLICY } from '../../../../src/picker-config/picker-policy';
import { aPicker, aPool, containerOf } from './support';

const llmd = (options: Parameters<typeof aPicker>[0] = {}) => aPicker({ delivery: undefined, ...EndpointPicker.llmd(options) });

describe("llm-d's picker", () => {
  it('is its published image, pinned, with its own defaults spelled out', () => {
    const container = containerOf(llmd().only('Deployment'));
    expect(container.image).toBe('ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0');
    expect(container).not.toHaveProperty('command');
    expect(container.args).toEqual([
      '--pool-name=llama-pool',
      '--pool-namespace=llm',
      '--pool-group=inference.networking.k8s.io',
      '--config-file=/etc/picker/config.yaml',
      '--drain-timeout=120s',
      '--v=1',
      '--ha-enable-leader-election',
      '--metrics-endpoint-auth=false',
      '--tracing=false',
      '--enable-pprof=false',
      '--zap-encoder=json',
    ]);
  });

  it('keeps the options that it is given', () => {
    const options = {
      replicas: 3,
      scoring: Scoring.gpuAware(),
      delivery: PickerDelivery.image('mirror.example.com/epp:v0.10.0'),
    };
    expect(EndpointPicker.llmd(options)).toMatchObject(options);
    expect(containerOf(llmd(options).only('Deployment')).image).toBe('mirror.example.com/epp:v0.10.0');
  });

  it('has room for a process of its size', () => {
    expect(containerOf(llmd().only('Deployment')).resources).toEqual({
      requests: { cpu: '1', memory: '512Mi' },
      limits: { memory: '2Gi' },
    });
  });

  it('lets a flag of yours win over a default of ours', () => {
    const { args } = containerOf(llmd({ extraArgs: ['--tracing=true'] }).only('Deployment'));
    expect(args.filter((argument: string) => argument.startsWith('--tracing'))).toEqual(['--tracing=true']);
  });
});

describe("two of llm-d's pickers, of which one is active", () => {
  const made = llmd();
  const { spec } = made.only('Deployment');

  it('are rolled without waiting for ready standbys, which would wait for ever', () => {
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: '100%' } });
  });

  it('have no disruption budget, which would never let the node of the leader be drained', () => {
    expect(made.objects().map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  it('are asked for liveness and readiness by name, which exist while a leader is elected', () => {
    expect(containerOf(made.only('Deployment')).livenessProbe.grpc.service).toBe('liveness');
    expect(containerOf(made.only('Deployment')).readinessProbe.grpc.service).toBe('readiness');
  });
});

describe("one of llm-d's pickers", () => {
  const { only } = llmd({ replicas: 1 });

  it('elects no leader, and is replaced without a gap', () => {
    expect(containerOf(only('Deployment')).args).not.toContain('--ha-enable-leader-election');
    expect(only('Deployment').spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });

  it('is alive when its port is open: its health service says no until the pool is known', () => {
    expect(containerOf(only('Deployment')).livenessProbe).toMatchObject({ tcpSocket: { port: 9003 } });
    expect(containerOf(only('Deployment')).readinessProbe.grpc.service).toBe('readiness');
  });
});

describe("what llm-d's picker cannot do", () => {
  it.each<[string, Parameters<typeof aPicker>[0], RegExp]>([
    [
      'run from the ConfigMaps of ours',
      { delivery: PickerDelivery.configMap() },
      /^AIG441 .*PickerDelivery.image\('ghcr.io\/llm-d/,
    ],
    ['our scoring', { scoring: Scoring.default() }, /^AIG442 .*Scoring.llmdDefault\(\)/],
    ['a policy', { _policy: { policy: () => EMPTY_PICKER_POLICY } }, /^AIG443 .*token budgets.*use the picker of this project/],
    ['an older pool', { pool: aPool({ generation: ApiGeneration.V1ALPHA2 }) }, /^AIG444 .*v1alpha2.*ApiGeneration.V1/],
    ['our flags', { extraArgs: ['--max-body=1Mi'] }, /^AIG520 .*--max-body/],
    ['names of metrics', { extraArgs: ['--lora-info-metric=x'] }, /^AIG522 .*core-metrics-extractor/],
  ])('%s: it says so, with the ways out', (_, options, message) => {
    expect(() => llmd(options)).toThrow(message);
  });

  it('is said of everything at once', () => {
    expect(() => llmd({ delivery: PickerDelivery.configMap(), scoring: Scoring.default() })).toThrow(/AIG441.*\nAIG442/);
  });
});
