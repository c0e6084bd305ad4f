import { EndpointPicker } from '../../../../src/constructs/endpoint-picker';
import { ApiGeneration } from '../../../../src/constructs/values/api-generation';
import { Scoring } from '../../../../src/constructs/values/scoring';
import { parseFlags } from '../../../../src/picker-config/flag-parser';
import { PICKER_FLAGS } from '../../../../src/picker-config/flags';
import { EMPTY_PICKER_POLICY } from '../../../../src/picker-config/picker-policy';
import { aPicker, aPool, containerOf } from './support';

type Options = Parameters<typeof aPicker>[0];
const argsOf = (options: Options): string[] => containerOf(aPicker(options).only('Deployment')).args;
const WITH_POLICY: Options = { _policy: { policy: () => EMPTY_PICKER_POLICY } };

describe('the command line of a picker', () => {
  it.each<[string, Options]>([
    ['as it is by default', {}],
    [
      'with everything',
      { scoring: Scoring.gpuAware(), secureServing: false, drainSeconds: 5, logVerbosity: 4, extraArgs: ['--max-body=32Mi'] },
    ],
    ['with a policy', WITH_POLICY],
  ])('%s is honoured flag by flag', (_, options) => {
    const args = argsOf(options);
    const { problems, notices } = parseFlags(args);
    expect([problems, notices]).toEqual([[], []]);
    for (const argument of args) {
      const name = /^--([a-z-]+)=/.exec(argument)?.[1];
      expect(PICKER_FLAGS.find((flag) => flag.name === name)?.status).toBe('honoured');
    }
  });

  it('says what the options said', () => {
    const { values } = parseFlags(
      argsOf({ scoring: Scoring.llmdDefault(), secureServing: false, drainSeconds: 7, logVerbosity: 3 }),
    );
    expect(values.text('pool-name')).toBe('llama-pool');
    expect(values.text('pool-namespace')).toBe('llm');
    expect(values.text('config-file')).toBe('/etc/picker/config.yaml');
    expect(values.boolean('secure-serving')).toBe(false);
    expect(values.number('drain-timeout')).toBe(7_000);
    expect(values.number('v')).toBe(3);
  });

  it('names the pool or the policy, never both', () => {
    expect(argsOf({}).filter((argument) => /--(pool|policy)/.test(argument))).toHaveLength(3);
    expect(argsOf(WITH_POLICY).filter((argument) => /--(pool|policy)/.test(argument))).toEqual([
      '--policy-file=/etc/picker/policy.yaml',
    ]);
  });

  it('of every llm-d picker has only flags of llm-d 0.10', () => {
    const known = new Set(PICKER_FLAGS.filter(({ origin }) => origin === 'llm-d').map(({ name }) => name));
    const pools = [aPool(), aPool({ installed: false, podLabels: { app: 'a', tier: 'b' }, ports: [8000, 8001] })];
    for (const pool of pools) {
      for (const replicas of [1, 2]) {
        const args = argsOf({ ...EndpointPicker.llmd({ replicas, secureServing: false }), delivery: undefined, pool });
        for (const argument of args) expect(known).toContain(/^--([a-z-]+)(=|$)/.exec(argument)?.[1]);
      }
    }
  });

  it.each<[string, Options]>([
    ['this picker', {}],
    ['that of llm-d', { ...EndpointPicker.llmd(), delivery: undefined }],
  ])('selects the pods by label where the cluster has no pools: %s', (_, options) => {
    const pool = aPool({ installed: false, podLabels: { app: 'a', tier: 'b' }, ports: [8000, 8001] });
    expect(argsOf({ ...options, pool })).toEqual(
      expect.arrayContaining(['--endpoint-selector=app=a,tier=b', '--endpoint-target-ports=8000,8001']),
    );
  });

  it.each([ApiGeneration.V1ALPHA2, ApiGeneration.V1ALPHA1])('names the group of an older pool (%p)', (generation) => {
    expect(argsOf({ pool: aPool({ generation }) })).toContain('--pool-group=inference.networking.x-k8s.io');
  });
});

describe('flags of your own', () => {
  it('come last', () => {
    expect(argsOf({ extraArgs: ['--max-body=32Mi', '--debug-address=off'] }).slice(-2)).toEqual([
      '--max-body=32Mi',
      '--debug-address=off',
    ]);
  });

  it.each<[string, Options, RegExp]>([
    ['misspelt', { extraArgs: ['--max-bodi=1Mi'] }, /^AIG520 .*'--max-bodi'.*did you mean 'max-body'\?.*\[chart\/picker\]/],
    ['with a bad value', { extraArgs: ['--max-body=lots'] }, /^AIG521 .*'lots'/],
    ['that this picker does not have', { extraArgs: ['--tracing=true'] }, /^AIG522 .*--tracing/],
    ['no flag at all', { extraArgs: ['serve'] }, /^AIG520 .*'serve'/],
    ['that an option sets', { extraArgs: ['--drain-timeout=1s'] }, /^AIG454 --drain-timeout .*use drainSeconds/],
    ['that the Service depends on', { extraArgs: ['--grpc-port=1'] }, /^AIG454 .*9002/],
    ['that would keep the probes out', { extraArgs: ['--bind-address=127.0.0.1'] }, /^AIG454 .*which the probes ask/],
    ['for the log, short', { extraArgs: ['-v=9'] }, /^AIG454 --v .*logVerbosity/],
    ['for the policy', { extraArgs: ['--policy-file=/x'] }, /^AIG454 .*the gateway's models and limits/],
  ])('%s is refused', (_, options, message) => {
    expect(() => argsOf(options)).toThrow(message);
  });
});
