import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiObject, App, Chart, Duration, JsonPatch, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { warningsBelow, whyOf } from '../../../src/constructs/internal/emit';
import { Accelerator } from '../../../src/constructs/values/accelerator';
import { KvCacheDataType, ModelDataType } from '../../../src/constructs/values/data-type';
import { ChatTemplate, LoraAdapter, ModelCache } from '../../../src/constructs/values/model-files';
import { ModelSource } from '../../../src/constructs/values/model-source';
import { Quantization } from '../../../src/constructs/values/quantization';
import { SecretReference } from '../../../src/constructs/values/secret-reference';
import { VllmBackend } from '../../../src/constructs/vllm-backend';
import type { VllmBackendProps } from '../../../src/constructs/vllm-backend-props';
import { validateManifests } from '../../../src/validation';
import { backend, codes, engineOf, LLAMA_8B, type Manifest, manifests, objectOf, podOf, refusal } from './vllm/synth';

const H100x4 = Accelerator.nvidia('H100', { count: 4 });

/** Uses every property that adds to the objects. */
const EVERYTHING: Partial<VllmBackendProps> = {
  accelerator: H100x4,
  replicas: 3,
  model: ModelSource.huggingFace('meta-llama/Llama-3.1-8B-Instruct', {
    token: SecretReference.fromSecretName('hf', 'token'),
    revision: 'abc',
  }),
  labels: { team: 'search' },
  annotations: { owner: 'search' },
  podAnnotations: { 'prometheus.io/scrape': 'true' },
  imagePullSecrets: ['registry'],
  dataParallel: 2,
  maxModelLengthTokens: 8192,
  quantization: Quantization.fp8(),
  dtype: ModelDataType.BFLOAT16,
  kvCacheDtype: KvCacheDataType.FP8,
  prefixCaching: false,
  maxSequences: 128,
  maxBatchedTokens: 4096,
  adapters: [LoraAdapter.huggingFace('sql', 'acme/sql-lora'), LoraAdapter.path('legal', '/weights/legal')],
  maxLoraRank: 64,
  chatTemplate: ChatTemplate.fromConfigMap({ name: 'templates' }, 'llama.jinja'),
  toolCallParser: 'llama3_json',
  reasoningParser: 'deepseek_r1',
  kvOffloadGib: 64,
  trustRemoteCode: true,
  extraArgs: ['--seed', '7'],
  env: { VLLM_LOGGING_LEVEL: 'DEBUG' },
  envSecrets: { PROXY_PASSWORD: SecretReference.fromSecretName('proxy', 'password') },
  apiKey: SecretReference.fromSecretName('engine', 'key'),
  tlsSecret: { name: 'engine-tls' },
  cache: ModelCache.persistentVolumeClaim({ name: 'cache' }),
  priorityClassName: 'serving',
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'spot', operator: 'Exists' }],
  serviceAccountName: 'engines',
  monitoring: [{ namespaceLabels: {}, podLabels: { app: 'prometheus' } }],
};

describe('the objects', () => {
  test('a backend is a Deployment, a headless Service and a NetworkPolicy', () => {
    expect(manifests(backend()).map((manifest) => manifest.kind)).toEqual(['Deployment', 'Service', 'NetworkPolicy']);
    expect(objectOf(backend(), 'Service').spec.clusterIP).toBe('None');
  });

  test('two replicas or more have a disruption budget that lets one pod go at a time', () => {
    expect(objectOf(backend({ replicas: 2 }), 'PodDisruptionBudget').spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { 'cdk8s-ai-gateway.dev/backend': 'llama' } },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
    expect(objectOf(backend({ replicas: 2, disruptionBudget: false }), 'PodDisruptionBudget')).toBeUndefined();
  });

  test.each([
    {},
    { replicas: 2 },
    EVERYTHING,
    { model: ModelSource.s3('s3://models/llama') },
  ])('an API server accepts %#', (props) => {
    const made = backend(props);
    made.serveAs('chat');
    const findings = validateManifests(manifests(made).map((value) => ({ value })));
    expect(findings).toEqual([]);
  });

  test('every object says why it is there and who made it', () => {
    const objects = backend({ replicas: 2 })
      .node.findAll()
      .filter((node): node is ApiObject => ApiObject.isApiObject(node));
    expect(objects).toHaveLength(4);
    for (const object of objects) {
      expect(whyOf(object)).toMatch(/\w{4}/);
      expect(object.metadata.toJson().annotations['cdk8s-ai-gateway.dev/path']).toBe('llm/llama');
    }
  });

  test.each(['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'])('a JSON patch survives on the %s', (kind) => {
    const made = backend({ replicas: 2 });
    const object = made.node.findAll().find((node): node is ApiObject => ApiObject.isApiObject(node) && node.kind === kind);
    object?.addJsonPatch(JsonPatch.add('/spec/madeUp', { deep: [1] }));
    expect(objectOf(made, kind).spec.madeUp).toEqual({ deep: [1] });
  });

  test('ApiObject.of finds the Deployment', () => {
    expect(ApiObject.of(backend()).kind).toBe('Deployment');
  });

  test('labels and annotations of the user are on every object, and the selector is not touched by them', () => {
    const made = backend({ ...EVERYTHING, labels: { team: 'search' } });
    for (const manifest of manifests(made)) {
      expect(manifest.metadata.labels.team).toBe('search');
      expect(manifest.metadata.annotations.owner).toBe('search');
    }
    expect(objectOf(made, 'Deployment').spec.selector.matchLabels).toEqual(made.podLabels);
  });

  test('a pool can label the pods without changing the selector', () => {
    const made = backend();
    made.addPodLabel('pool', 'all');
    const { spec } = objectOf(made, 'Deployment');
    expect(spec.template.metadata.labels.pool).toBe('all');
    expect(spec.selector.matchLabels).toEqual({ 'cdk8s-ai-gateway.dev/backend': 'llama' });
  });
});

describe('names', () => {
  test('come from the path below the chart, without a hash', () => {
    expect(backend({}, 'Chat_Model').deploymentName).toBe('chat-model');
    expect(backend({ name: 'mine' }).serviceName).toBe('mine');
  });

  test.each(['1st', 'x'.repeat(53), 'Upper', 'a.b', '-a'])('the name %s is refused', (name) => {
    expect(codes(() => backend({ name }))).toEqual(['AIG436']);
  });

  test('two backends of one name are found at synthesis', () => {
    const app = new App();
    const chart = new Chart(app, 'llm');
    for (const id of ['a', 'b'])
      new VllmBackend(chart, id, { model: LLAMA_8B, accelerator: Accelerator.nvidia('H100'), name: 'same' });
    expect(() => app.synth()).toThrow(/AIG437 .*apps\/Deployment same/);
  });
});

describe('the engine', () => {
  test('gets as many GPUs in requests as in limits, and uses all of them for each layer', () => {
    const engine = engineOf(backend({ accelerator: H100x4 }));
    expect(engine.resources.requests['nvidia.com/gpu']).toBe(4);
    expect(engine.resources.limits).toEqual({ 'nvidia.com/gpu': 4 });
    expect(engine.args).toContain('--tensor-parallel-size=4');
  });

  test('gets the arguments of all properties', () => {
    const made = backend(EVERYTHING);
    made.serveAs('chat');
    expect(engineOf(made).args).toEqual([
      'meta-llama/Llama-3.1-8B-Instruct',
      '--revision=abc',
      '--served-model-name',
      'chat',
      'meta-llama/Llama-3.1-8B-Instruct',
      '--port=8000',
      '--tensor-parallel-size=2',
      '--data-parallel-size=2',
      '--data-parallel-size-local=2',
      '--data-parallel-supervisor-port=9256',
      '--data-parallel-multi-port-external-lb',
      '--max-model-len=8192',
      '--gpu-memory-utilization=0.9',
      '--quantization=fp8',
      '--dtype=bfloat16',
      '--kv-cache-dtype=fp8',
      '--no-enable-prefix-caching',
      '--max-num-seqs=128',
      '--max-num-batched-tokens=4096',
      '--kv-offloading-size=32',
      '--enable-lora',
      '--max-loras=2',
      '--max-lora-rank=64',
      '--max-cpu-loras=2',
      '--lora-modules',
      'sql=acme/sql-lora',
      'legal=/weights/legal',
      '--chat-template=/etc/vllm/chat-template/template.jinja',
      '--enable-auto-tool-choice',
      '--tool-call-parser=llama3_json',
      '--reasoning-parser=deepseek_r1',
      '--trust-remote-code',
      '--ssl-certfile=/etc/vllm/tls/tls.crt',
      '--ssl-keyfile=/etc/vllm/tls/tls.key',
      '--enable-ssl-refresh',
      '--disable-access-log-for-endpoints=/health,/metrics',
      '--seed',
      '7',
    ]);
  });

  test('is told nothing that vLLM 0.30 does not understand', () => {
    const known = new Set(readFileSync(join(__dirname, '../../fixtures/vllm/serve-flags-0.30.txt'), 'utf8').split('\n'));
    const flags = engineOf(backend(EVERYTHING)).args.filter((arg: string) => arg.startsWith('--'));
    const unknown = flags
      .map((flag: string) => flag.split('=')[0]!.replace('--no-enable', '--enable'))
      .filter((flag: string) => !known.has(flag));
    expect(unknown).toEqual([]);
  });

  test('secrets reach it by reference only', () => {
    const text = JSON.stringify(manifests(backend(EVERYTHING)));
    const env = engineOf(backend(EVERYTHING)).env as { name: string; value?: string; valueFrom?: Manifest }[];
    expect(env.find((variable) => variable.name === 'HF_TOKEN')?.valueFrom.secretKeyRef).toEqual({ name: 'hf', key: 'token' });
    expect(env.find((variable) => variable.name === 'VLLM_API_KEY')?.valueFrom.secretKeyRef).toEqual({
      name: 'engine',
      key: 'key',
    });
    expect(text).not.toContain('--api-key');
  });

  test('reports nothing about its use to anybody', () => {
    const env = Object.fromEntries(engineOf(backend()).env.map((variable: Manifest) => [variable.name, variable.value]));
    expect(env).toMatchObject({ VLLM_NO_USAGE_STATS: '1', DO_NOT_TRACK: '1', HF_HUB_DISABLE_TELEMETRY: '1' });
  });

  test('an environment variable of the user replaces the one of the library', () => {
    const env = engineOf(backend({ env: { HF_HOME: '/other' } })).env.filter((variable: Manifest) => variable.name === 'HF_HOME');
    expect(env).toEqual([{ name: 'HF_HOME', value: '/other' }]);
  });

  test('has no more rights than it needs, and writes to volumes that any user may write to', () => {
    const pod = podOf(backend());
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 2000,
      runAsGroup: 0,
      fsGroup: 2000,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.containers[0].env).toContainEqual({ name: 'HOME', value: '/cache' });
    // without an entry in /etc/passwd PyTorch asks for the name, and fails
    expect(pod.containers[0].env).toContainEqual({ name: 'USER', value: 'vllm' });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'cache', mountPath: '/cache' });
  });

  test('runs as root where the devices belong to a group of unknown number', () => {
    expect(podOf(backend({ accelerator: Accelerator.amd('MI300X') })).securityContext.runAsNonRoot).toBe(false);
    expect(podOf(backend({ accelerator: Accelerator.amd('MI300X'), runAsUser: 1000 })).securityContext.runAsUser).toBe(1000);
  });

  test.each([
    [Accelerator.nvidia('H100'), 'vllm/vllm-openai:v0.30.0'],
    [Accelerator.amd('MI300X'), 'vllm/vllm-openai-rocm:v0.30.0'],
    [Accelerator.tpu('v6e', { count: 4 }), 'vllm/vllm-tpu:v0.27.0'],
  ])('the image belongs to the accelerator (%#) and is pinned', (accelerator, image) => {
    expect(engineOf(backend({ accelerator })).image).toBe(image);
  });

  test('a Secret, a ConfigMap and a claim of cdk8s-plus can be passed as they are', () => {
    const chart = new Chart(new App(), 'llm');
    const made = new VllmBackend(chart, 'llama', {
      model: ModelSource.persistentVolumeClaim(kplus.PersistentVolumeClaim.fromClaimName(chart, 'claim', 'weights'), {
        path: 'llama',
      }),
      accelerator: Accelerator.nvidia('H100'),
      apiKey: SecretReference.fromSecret(kplus.Secret.fromSecretName(chart, 'secret', 'keys'), 'engine'),
      chatTemplate: ChatTemplate.fromConfigMap(kplus.ConfigMap.fromConfigMapName(chart, 'map', 'templates'), 'a.jinja'),
    });
    expect(engineOf(made).args[0]).toBe('/weights/llama');
    expect(made.apiKey).toMatchObject({ secretName: 'keys', key: 'engine' });
  });

  test('shared memory grows with the GPUs', () => {
    const shm = (count: number) => podOf(backend({ accelerator: Accelerator.nvidia('H100', { count }) })).volumes[0].emptyDir;
    expect(shm(1)).toEqual({ medium: 'Memory', sizeLimit: '3Gi' });
    expect(shm(4)).toEqual({ medium: 'Memory', sizeLimit: '6Gi' });
  });

  test('the disk that is asked for holds the download', () => {
    const pod = podOf(backend());
    // 15 GiB of weights, a fifth more, and 20 GiB
    expect(pod.volumes[1].emptyDir.sizeLimit).toBe('38Gi');
    expect(pod.containers[0].resources.requests['ephemeral-storage']).toBe('38Gi');
    expect(
      podOf(backend({ cache: ModelCache.persistentVolumeClaim({ name: 'c' }) })).containers[0].resources.requests,
    ).not.toHaveProperty('ephemeral-storage');
  });

  test('tolerates the taint of its nodes and prefers to spread', () => {
    const pod = podOf(backend({ replicas: 2 }));
    expect(pod.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(pod.topologySpreadConstraints.map((constraint: Manifest) => constraint.topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    expect(podOf(backend({ spread: false })).topologySpreadConstraints).toBeUndefined();
  });
});

describe('data-parallel ranks', () => {
  const ranks = backend({ accelerator: H100x4, dataParallel: 4, port: 8100 });

  test('have a port each, in the pod and in the Service', () => {
    expect(ranks.ports).toEqual([8100, 8101, 8102, 8103]);
    expect(engineOf(ranks).ports.map((port: Manifest) => port.containerPort)).toEqual([8100, 8101, 8102, 8103]);
    expect(objectOf(ranks, 'Service').spec.ports.map((port: Manifest) => port.name)).toEqual([
      'http',
      'http-1',
      'http-2',
      'http-3',
    ]);
    expect(objectOf(ranks, 'NetworkPolicy').spec.ingress[0].ports).toHaveLength(4);
  });

  test('are asked for their health together', () => {
    expect(engineOf(ranks).readinessProbe.httpGet).toEqual({ path: '/health', port: 9256, scheme: 'HTTP' });
    expect(engineOf(backend()).readinessProbe.httpGet.port).toBe('http');
  });
});

describe('starting, rolling out and leaving', () => {
  test('the startup probe waits for twice the download and five minutes', () => {
    // Llama 8B: 16.06e9 bytes at 100 MB/s, twice, and 300 s
    const { startupProbe } = engineOf(backend());
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(630);
  });

  test('a larger model, a slower source or the user make it longer', () => {
    const budget = (props: Partial<VllmBackendProps>): number => engineOf(backend(props)).startupProbe.failureThreshold * 10;
    expect(budget({ model: ModelSource.huggingFace('meta-llama/Llama-3.3-70B-Instruct'), accelerator: H100x4 })).toBe(3130);
    expect(budget({ sourceMegabytesPerSecond: 50 })).toBe(950);
    expect(budget({ startupTimeout: Duration.hours(1) })).toBe(3600);
  });

  test('the rollout may take as long as one pod needs to leave, be pulled and start', () => {
    const { spec } = objectOf(backend(), 'Deployment');
    expect(spec.progressDeadlineSeconds).toBe(645 + 600 + 622);
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  test('with spare GPUs a rollout starts the new pod first', () => {
    expect(objectOf(backend({ surgeReplicas: 1 }), 'Deployment').spec.strategy.rollingUpdate).toEqual({
      maxSurge: 1,
      maxUnavailable: 0,
    });
  });

  test('the grace period covers the delay, the longest answer and the end of the engine', () => {
    const made = backend({ longestAnswer: Duration.minutes(30), drainDelay: Duration.seconds(5) });
    expect(podOf(made).terminationGracePeriodSeconds).toBe(5 + 1800 + 30);
    expect(made.longestAnswerSeconds).toBe(1800);
  });

  test('a busy engine has a minute to answer before it is restarted, and ten seconds before it gets no more requests', () => {
    const { livenessProbe, readinessProbe } = engineOf(backend());
    expect(livenessProbe.periodSeconds * livenessProbe.failureThreshold).toBe(60);
    expect(readinessProbe.periodSeconds * readinessProbe.failureThreshold).toBe(10);
  });

  test('the certificate can be read by the group of the pod and by nobody else', () => {
    const volume = podOf(backend({ tlsSecret: { name: 'engine-tls' } })).volumes.find(({ name }: Manifest) => name === 'tls');
    expect(volume.secret).toEqual({ secretName: 'engine-tls', defaultMode: 0o440 });
  });

  test('probes speak TLS when the engine does', () => {
    const engine = engineOf(backend({ tlsSecret: { name: 'tls' } }));
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(engine[probe].httpGet.scheme).toBe('HTTPS');
    expect(backend({ tlsSecret: { name: 'tls' } }).tls).toBe(true);
  });
});

describe('serveAs', () => {
  const served = (made: VllmBackend): string[] => {
    const { args } = engineOf(made);
    const start = args.indexOf('--served-model-name') + 1;
    return args.slice(
      start,
      args.findIndex((arg: string, index: number) => index >= start && arg.startsWith('--')),
    );
  };

  test('names of models come first, in the order of their mention, and the model id last', () => {
    const made = backend();
    expect([made.serveAs('chat'), made.serveAs('llama-3'), made.serveAs('chat')]).toEqual(['chat', 'llama-3', 'chat']);
    expect(served(made)).toEqual(['chat', 'llama-3', 'meta-llama/Llama-3.1-8B-Instruct']);
  });

  test('without a model the engine answers to its id, or to its own name', () => {
    expect(served(backend())).toEqual(['meta-llama/Llama-3.1-8B-Instruct']);
    expect(served(backend({ model: ModelSource.persistentVolumeClaim({ name: 'w' }) }))).toEqual(['llama']);
  });

  test('fixed names stay, and another model is rewritten to the first', () => {
    const made = backend({ servedModelNames: ['a', 'b'] });
    expect([made.serveAs('b'), made.serveAs('chat')]).toEqual(['b', 'a']);
    expect(served(made)).toEqual(['a', 'b']);
  });

  test('an adapter is served under its own name', () => {
    const made = backend({ adapters: [LoraAdapter.path('sql', '/weights/sql')] });
    expect(made.serveAs('sql')).toBe('sql');
    expect(served(made)).not.toContain('sql');
    expect(made.adapters).toEqual(['sql']);
  });

  test.each(['', 'two words', '--port'])('the name %j is refused', (name) => {
    expect(refusal(() => backend().serveAs(name))?.code).toBe('AIG418');
  });
});

describe('the NetworkPolicy', () => {
  const rules = (made: VllmBackend): Manifest => objectOf(made, 'NetworkPolicy').spec;

  test('lets in monitoring and nobody else', () => {
    expect(rules(backend()).ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ protocol: 'TCP', port: 8000 }],
      },
    ]);
    expect(rules(backend()).policyTypes).toEqual(['Ingress']);
  });

  test('is closed to everybody when nobody is allowed', () => {
    expect(rules(backend({ monitoring: [] })).ingress).toEqual([]);
  });

  test('opens for a peer once, also when it is allowed after the policy was made', () => {
    const made = backend({ monitoring: [] });
    made.allowFrom({ podLabels: { app: 'gateway', tier: 'edge' } }, 'routes requests');
    made.allowFrom({ podLabels: { tier: 'edge', app: 'gateway' } }, 'routes requests');
    made.allowFrom({ namespaceLabels: { name: 'gw' }, podLabels: { app: 'gateway' } }, 'routes requests');
    expect(rules(made).ingress[0].from).toEqual([
      { podSelector: { matchLabels: { app: 'gateway', tier: 'edge' } } },
      { namespaceSelector: { matchLabels: { name: 'gw' } }, podSelector: { matchLabels: { app: 'gateway' } } },
    ]);
  });

  test('says what its peers come for', () => {
    const made = backend();
    made.allowFrom({ podLabels: { app: 'gateway' } }, 'sends requests');
    made.allowFrom({ podLabels: { app: 'gateway' } }, 'reads models');
    const { annotations } = objectOf(made, 'NetworkPolicy').metadata;
    expect(annotations['cdk8s-ai-gateway.dev/ingress']).toBe('scrapes metrics; sends requests; reads models');
  });

  test('can also keep the engine in, all but name resolution', () => {
    const made = backend({ egress: false, model: ModelSource.persistentVolumeClaim({ name: 'w' }) });
    expect(rules(made).policyTypes).toEqual(['Ingress', 'Egress']);
    expect(rules(made).egress).toEqual([
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ]);
  });

  test('can be left to others', () => {
    const made = backend({ networkPolicy: false });
    made.allowFrom({ podLabels: { a: 'b' } }, 'routes requests');
    expect(manifests(made).map((manifest) => manifest.kind)).not.toContain('NetworkPolicy');
  });
});

test('what could not be checked is a warning, not silence', () => {
  const made = backend({ model: ModelSource.huggingFace('acme/secret-sauce') });
  expect(warningsBelow(made)).toEqual([{ path: 'llm/llama', message: expect.stringContaining('acme/secret-sauce') }]);
  expect(warningsBelow(backend())).toEqual([]);
});

test('a gated model without a token is a warning', () => {
  const model = ModelSource.huggingFace('google/gemma-3-4b-it');
  expect(warningsBelow(backend({ model }))[0]?.message).toMatch(/google\/gemma-3-4b-it is a gated repository/);
  expect(warningsBelow(backend({ model, envSecrets: { HF_TOKEN: SecretReference.fromSecretName('hf', 'token') } }))).toEqual([]);
  expect(warningsBelow(backend({ model: ModelSource.huggingFace('Qwen/Qwen3-8B') }))).toEqual([]);
});

test('synthesis of the same program gives the same manifests', () => {
  const synth = () => Testing.synth(Chart.of(backend(EVERYTHING)));
  expect(synth()).toEqual(synth());
});
