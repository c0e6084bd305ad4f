import { App, Chart, Testing } from 'cdk8s';
import { EndpointPicker } from '../../../../src/constructs/endpoint-picker';
import type { PickerInput } from '../../../../src/constructs/picker/input';
import type { EndpointPickerOptions } from '../../../../src/constructs/picker/options';
import { pickerPod } from '../../../../src/constructs/picker/pod';
import { Scoring } from '../../../../src/constructs/values/scoring';
import { EMPTY_PICKER_POLICY, type PickerPolicy } from '../../../../src/picker-config/picker-policy';
import { parsePickerPolicy } from '../../../../src/picker-config/picker-policy-parser';
import { aPicker, aPool, IMAGE, type ManifestObject } from './support';

const policyFor = (...models: string[]): PickerPolicy => ({
  ...EMPTY_PICKER_POLICY,
  pools: [{ name: 'llama-pool', endpoints: { kind: 'inferencePool', name: 'llama-pool', group: 'inference.networking.k8s.io' } }],
  models: models.map((name) => ({ name, aliases: [], targets: [{ pool: 'llama-pool' }], priority: 0, adapters: [] })),
});

/** A picker beside a proxy, as the sidecar mode makes it. */
function beside(input: Partial<PickerInput> = {}, options: EndpointPickerOptions = {}) {
  const chart = new Chart(new App(), 'chart', { namespace: 'llm' });
  const pod = pickerPod(
    chart,
    { delivery: IMAGE, ...options },
    {
      name: 'proxy',
      namespace: 'llm',
      pools: [aPool(), aPool({ name: 'qwen-pool' }), aPool({ name: 'other', namespace: 'engines' })],
      policy: () => policyFor('llama'),
      secureServing: false,
      electLeader: false,
      ...input,
    },
  );
  const configMap = (): ManifestObject => Testing.synth(chart).find(({ metadata }) => metadata.name === 'proxy-config');
  return { chart, pod, configMap };
}

describe('a picker in the pod of a proxy', () => {
  it('takes its policy as it is when everything has been added, and its checksum with it', () => {
    const models = ['llama'];
    const { pod, configMap } = beside({ policy: () => policyFor(...models) });
    const before = pod.annotations();
    models.push('qwen');
    expect(parsePickerPolicy(configMap().data['policy.yaml'], 'policy.yaml').policy!.models.map(({ name }) => name)).toEqual(
      models,
    );
    expect(pod.annotations()).not.toEqual(before);
    expect(pod.annotations()).toEqual(pod.annotations());
  });

  it('has both files in one ConfigMap, where its flags look for them', () => {
    const { pod, configMap } = beside({}, { scoring: Scoring.gpuAware() });
    expect(Object.keys(configMap().data)).toEqual(['config.yaml', 'policy.yaml']);
    expect(pod.container().args).toEqual(
      expect.arrayContaining(['--policy-file=/etc/picker/policy.yaml', '--config-file=/etc/picker/config.yaml']),
    );
    expect(pod.container().volumeMounts).toContainEqual({ name: 'picker-config', mountPath: '/etc/picker', readOnly: true });
    expect(pod.volumes()).toContainEqual({ name: 'picker-config', configMap: { name: 'proxy-config' } });
  });

  it('reads the pools of every namespace, and nothing else there', () => {
    const { access } = beside().pod;
    expect(access.map(({ namespace, rules }) => [namespace, rules.map(({ resourceNames }) => resourceNames)])).toEqual([
      ['llm', [undefined, ['llama-pool', 'qwen-pool']]],
      ['engines', [undefined, ['other']]],
    ]);
  });

  it('mounts the Secrets that its policy needs, also those that are added late', () => {
    const secrets: { secretName: string; mountPath: string }[] = [];
    const { pod } = beside({ secretMounts: () => secrets });
    expect(pod.volumes().filter(({ secret }) => secret)).toEqual([]);
    secrets.push({ secretName: 'client-keys', mountPath: '/etc/picker-api-keys' });
    expect(pod.volumes().filter(({ secret }) => secret)).toEqual([
      { name: 'picker-secret-0', secret: { secretName: 'client-keys', defaultMode: 0o440 } },
    ]);
    expect(pod.container().volumeMounts).toContainEqual({
      name: 'picker-secret-0',
      mountPath: '/etc/picker-api-keys',
      readOnly: true,
    });
  });

  it('speaks without TLS and does not let the options say otherwise', () => {
    expect(beside().pod.container().args).toContain('--secure-serving=false');
    expect(() => beside({}, { secureServing: true })).toThrow(/^AIG458 .*got true; allowed: false.*loopback/);
  });

  it('elects no leader when it is llm-d, because every proxy asks its own', () => {
    const options = { ...EndpointPicker.llmd(), delivery: undefined };
    const { pod } = beside({ pools: [aPool()], policy: undefined }, options);
    expect(pod.container().args).not.toContain('--ha-enable-leader-election');
  });

  it.each<[string, Partial<PickerInput>, RegExp]>([
    ['no pool', { pools: [] }, /^AIG444/],
    ['several pools and no policy', { policy: undefined }, /^AIG444 .*\["llama-pool","qwen-pool","other"\]/],
  ])('is refused with %s', (_, input, message) => {
    expect(() => beside(input)).toThrow(message);
  });

  it('is refused at synthesis when its policy contradicts itself, with every fault', () => {
    const { configMap } = beside({ policy: () => ({ ...policyFor('llama', 'llama'), defaultModel: 'gpt' }) });
    expect(configMap).toThrow(/AIG505[\s\S]*AIG506/);
  });

  it('is refused at synthesis when its policy is larger than kubectl can apply', () => {
    const { configMap } = beside({
      policy: () => policyFor(...Array.from({ length: 4_000 }, (_, i) => `model-with-a-rather-long-name-${i}`)),
    });
    expect(configMap).toThrow(/AIG455 .*bytes/);
  });
});

describe('a picker of its own with a policy', () => {
  it('takes its models from the policy and not from the pool', () => {
    const made = aPicker({ _policy: { policy: () => policyFor('llama') } });
    const config = made.objects().find(({ metadata }) => metadata.name === 'picker-config');
    expect(Object.keys(config.data)).toEqual(['policy.yaml']);
  });
});
