import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { EndpointPicker } from '../../../src/constructs/endpoint-picker';
import { warningsBelow } from '../../../src/constructs/internal/emit';
import { PickerDelivery } from '../../../src/constructs/values/picker-delivery';
import { Scorer } from '../../../src/constructs/values/scorer';
import { Scoring } from '../../../src/constructs/values/scoring';
import { SecretReference } from '../../../src/constructs/values/secret-reference';
import { parseFlags } from '../../../src/picker-config/flag-parser';
import { expectValid } from '../../conformance/schemas';
import { aPicker, aPool, aProgram, containerOf, IMAGE } from './picker/support';

const EVERY_KIND = {
  serviceMonitor: true,
  scoring: Scoring.llmdDefault(),
  delivery: PickerDelivery.configMap({ bundleFile: aProgram('1') }),
};

describe('the objects of a picker', () => {
  it.each([
    ['with an image', aPicker()],
    ['in ConfigMaps, with a configuration and a ServiceMonitor', aPicker(EVERY_KIND)],
    ['of llm-d', aPicker(EndpointPicker.llmd({ delivery: undefined }))],
    ['with everything set', aPicker(everything())],
  ])('%s are valid', (_, { objects }) => {
    expectValid(objects());
  });

  it('are the same on every run', () => {
    const once = () => aPicker({ ...everything(), delivery: PickerDelivery.configMap({ bundleFile: aProgram('1') }) }).objects();
    expect(JSON.stringify(once())).toBe(JSON.stringify(once()));
  });

  it('keep what is patched into them, unknown fields too', () => {
    const { chart, objects } = aPicker(EVERY_KIND);
    const emitted = chart.node.findAll().filter((construct): construct is ApiObject => ApiObject.isApiObject(construct));
    for (const object of emitted) object.addJsonPatch(JsonPatch.add('/patched', { by: 'a user' }));
    expect(new Set(emitted.map(({ kind }) => kind))).toEqual(
      new Set([
        'ConfigMap',
        'Deployment',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Role',
        'RoleBinding',
        'Service',
        'ServiceAccount',
        'ServiceMonitor',
      ]),
    );
    for (const object of objects()) expect(object.patched).toEqual({ by: 'a user' });
  });

  it('are all in the namespace of the pool, where gateways look for the picker', () => {
    const { objects } = aPicker({ pool: aPool({ namespace: 'engines' }), ...EVERY_KIND });
    expect(new Set(objects().map(({ metadata }) => metadata.namespace))).toEqual(new Set(['engines']));
  });

  it('all have the labels and annotations that were asked for', () => {
    const { objects } = aPicker({ ...EVERY_KIND, labels: { team: 'ml' }, annotations: { owner: 'ada' } });
    for (const { metadata } of objects()) {
      expect(metadata.labels.team).toBe('ml');
      expect(metadata.annotations.owner).toBe('ada');
    }
  });

  it('are named after the construct, or as asked', () => {
    expect(aPicker().picker.serviceName).toBe('picker');
    expect(aPicker({ name: 'llama-epp' }).only('Service').metadata.name).toBe('llama-epp');
    expect(() => aPicker({ name: 'x'.repeat(41) })).toThrow(/40/);
  });
});

describe('the pods of a picker', () => {
  const template = aPicker().only('Deployment').spec.template;

  it('have what a restricted namespace asks for', () => {
    expect(template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(template.spec.containers[0].securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('are asked for liveness and readiness apart, so that a missing pool does not restart them', () => {
    const { livenessProbe, readinessProbe } = template.spec.containers[0];
    expect(livenessProbe.grpc).toEqual({ port: 9003, service: 'liveness' });
    expect(readinessProbe.grpc).toEqual({ port: 9003, service: 'readiness' });
  });

  it('ask for little, may not take all memory, and are never throttled', () => {
    expect(template.spec.containers[0].resources).toEqual({
      requests: { cpu: '100m', memory: '128Mi' },
      limits: { memory: '512Mi' },
    });
    const resources = { cpuRequest: '2', cpuLimit: '4', memoryLimit: '1Gi' };
    expect(containerOf(aPicker({ resources }).only('Deployment')).resources).toEqual({
      requests: { cpu: '2', memory: '128Mi' },
      limits: { cpu: '4', memory: '1Gi' },
    });
  });

  it('are two, apart from each other, one of which is always there', () => {
    const { only } = aPicker();
    const { spec } = only('Deployment');
    expect([spec.replicas, spec.strategy.rollingUpdate]).toEqual([2, { maxUnavailable: 0, maxSurge: 1 }]);
    expect(spec.template.spec.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    expect(only('PodDisruptionBudget').spec).toMatchObject({ maxUnavailable: 1, selector: spec.selector });
  });

  it('have no disruption budget when there is one, which would keep its node from being drained', () => {
    const { objects } = aPicker({ replicas: 1 });
    expect(objects().map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  it.each([
    [undefined, 120, 140],
    [0, 0, 20],
    [600, 600, 620],
  ])('with drainSeconds %p drain %p s and are killed after %p s', (drainSeconds, drain, grace) => {
    const { spec } = aPicker({ drainSeconds }).only('Deployment').spec.template;
    expect(spec.containers[0].args).toContain(`--drain-timeout=${drain}s`);
    expect(spec.terminationGracePeriodSeconds).toBe(grace);
    // the Service loses the pod first, and the proxies some seconds later
    expect(spec.containers[0].lifecycle.preStop).toEqual({ sleep: { seconds: 10 } });
  });

  it('go where they are sent', () => {
    const { spec, metadata } = aPicker(everything()).only('Deployment').spec.template;
    expect(spec).toMatchObject({
      priorityClassName: 'system-critical',
      nodeSelector: { pool: 'cpu' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(metadata.labels).toMatchObject({ team: 'ml', 'app.kubernetes.io/name': 'endpoint-picker' });
    expect(metadata.annotations).toMatchObject({ 'sidecar.istio.io/inject': 'false' });
  });

  it('cannot lose the labels that the Service selects them by', () => {
    const { only } = aPicker({ podLabels: { 'app.kubernetes.io/name': 'mine' } });
    expect(only('Deployment').spec.template.metadata.labels).toMatchObject(only('Service').spec.selector);
  });

  it('have environment variables as text and from Secrets', () => {
    const { env } = containerOf(aPicker(everything()).only('Deployment'));
    expect(env).toEqual(
      expect.arrayContaining([
        { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        { name: 'NODE_OPTIONS', value: '--max-semi-space-size=32' },
        { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'redis', key: 'password' } } },
      ]),
    );
  });

  it('are replaced when their configuration changes, also by a patch, and not otherwise', () => {
    const digestOf = (change: (made: ReturnType<typeof aPicker>) => void, scoring = Scoring.llmdDefault()) => {
      const made = aPicker({ scoring });
      change(made);
      return made.only('Deployment').spec.template.metadata.annotations['cdk8s-ai-gateway.dev/picker-config-sha256'];
    };
    const plain = digestOf(() => undefined);
    expect(plain).toMatch(/^[0-9a-f]{32}$/);
    expect(digestOf(() => undefined)).toBe(plain);
    expect(digestOf(() => undefined, Scoring.llmdDefault().with(Scorer.loadAware()))).not.toBe(plain);
    const patched = digestOf(({ picker }) => {
      ApiObject.of(picker.node.findChild('PickerConfig')).addJsonPatch(JsonPatch.replace('/data/config.yaml', 'kind: Mine'));
    });
    expect(patched).not.toBe(plain);
  });

  it('need no ConfigMap for the default scoring', () => {
    expect(
      aPicker()
        .objects()
        .map(({ kind }) => kind),
    ).not.toContain('ConfigMap');
  });
});

describe('how a picker is reached', () => {
  it('is TLS unless told otherwise, because some gateways speak nothing else; plaintext is announced as h2c', () => {
    const secure = aPicker();
    const plain = aPicker({ secureServing: false });
    expect([secure.picker.secureServing, plain.picker.secureServing]).toEqual([true, false]);
    expect(secure.only('Service').spec.ports[0]).not.toHaveProperty('appProtocol');
    expect(plain.only('Service').spec.ports[0]).toMatchObject({ port: 9002, appProtocol: 'kubernetes.io/h2c' });
    expect(containerOf(plain.only('Deployment')).args).toContain('--secure-serving=false');
  });

  it('lets in the gateway to ask and monitoring to scrape, each to its port alone', () => {
    const { ingress, policyTypes } = aPicker({ replicas: 1 }).only('NetworkPolicy').spec;
    expect(ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateways' } },
            podSelector: { matchLabels: { app: 'gateway' } },
          },
        ],
        ports: [{ protocol: 'TCP', port: 9002 }],
      },
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ protocol: 'TCP', port: 9090 }],
      },
    ]);
    expect(policyTypes).toEqual(['Ingress']);
  });

  it('has a way between its replicas, for them alone', () => {
    const { objects, only } = aPicker({ replicas: 3, peerSecret: SecretReference.fromSecretName('replicas', 'key') });
    const service = objects().find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'picker-peers');
    const pod = only('Deployment').spec.template;
    const container = containerOf(only('Deployment'));
    expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(pod.metadata.labels).toMatchObject(service.spec.selector);
    expect(container.ports).toContainEqual({ name: service.spec.ports[0].targetPort, containerPort: 9004 });
    const { values } = parseFlags(container.args);
    expect(values.list('peers')).toEqual([`${service.metadata.name}:${service.spec.ports[0].port}`]);
    expect(values.text('peer-secret-file')).toBe('/etc/picker-peer-secret/key');
    expect(container.volumeMounts).toContainEqual({
      name: 'picker-peer-secret',
      mountPath: '/etc/picker-peer-secret',
      readOnly: true,
    });
    expect(pod.spec.volumes).toContainEqual({
      name: 'picker-peer-secret',
      secret: { secretName: 'replicas', defaultMode: 0o440 },
    });
    expect(only('NetworkPolicy').spec.ingress).toContainEqual({
      from: [{ podSelector: { matchLabels: service.spec.selector } }],
      ports: [{ protocol: 'TCP', port: 9004 }],
    });
  });

  it.each<[string, Parameters<typeof aPicker>[0]]>([
    ['one replica', { replicas: 1, peerSecret: SecretReference.fromSecretName('replicas', 'key') }],
    ['the picker of llm-d', { ...EndpointPicker.llmd(), delivery: undefined }],
  ])('has none for %s', (_, options) => {
    const made = aPicker(options);
    expect(made.objects().filter(({ metadata }) => metadata.name.endsWith('-peers'))).toEqual([]);
    expect(containerOf(made.only('Deployment')).args.join(' ')).not.toContain('peer');
    expect(JSON.stringify(made.only('NetworkPolicy'))).not.toContain('9004');
  });

  it('lets in those who are added later, each once', () => {
    const { picker, only } = aPicker();
    picker.allowFrom({ podLabels: { app: 'other' } });
    picker.allowFrom({ podLabels: { app: 'other' } });
    expect(only('NetworkPolicy').spec.ingress[0].from).toHaveLength(2);
  });

  it('refuses to be written when nobody may ask it', () => {
    const app = new App();
    const chart = new Chart(app, 'chart', { namespace: 'llm' });
    new EndpointPicker(chart, 'picker', { pool: aPool(), delivery: IMAGE });
    expect(() => app.synthYaml()).toThrow(/AIG457 .*allowFrom\(\)/);
    expect(new EndpointPicker(chart, 'open', { pool: aPool(), delivery: IMAGE, networkPolicy: false }).node.validate()).toEqual(
      [],
    );
  });

  it('has a ServiceMonitor only for those who ask, with the labels that their Prometheus selects', () => {
    expect(
      aPicker()
        .objects()
        .map(({ kind }) => kind),
    ).not.toContain('ServiceMonitor');
    const { only } = aPicker({ serviceMonitor: true, serviceMonitorLabels: { release: 'prometheus' } });
    expect(only('ServiceMonitor').metadata.labels.release).toBe('prometheus');
    expect(only('Service').metadata.labels).toMatchObject(only('ServiceMonitor').spec.selector.matchLabels);
    expect(only('Service').spec.ports.map(({ name }: { name: string }) => name)).toContain(
      only('ServiceMonitor').spec.endpoints[0].port,
    );
  });
});

describe('options that no picker can have', () => {
  it.each<[string, Parameters<typeof aPicker>[0], RegExp]>([
    ['no replicas', { replicas: 0 }, /^AIG448 replicas .*got '0'; allowed: a whole number from 1 to 100/],
    ['half a second', { drainSeconds: 0.5 }, /^AIG448 drainSeconds/],
    ['a verbosity of 11', { logVerbosity: 11 }, /^AIG448 logVerbosity/],
    ['memory without a unit that Kubernetes knows', { resources: { memoryLimit: '512MB' } }, /^AIG448 memoryLimit .*'512MB'/],
    ['a variable with a space', { extraEnv: { 'A B': '1' } }, /^AIG448 .*'A B'/],
    [
      'a password as text',
      { extraEnv: { REDIS_PASSWORD: 'hunter2' } },
      /^AIG449 (?!.*hunter2).*secretEnv: \{ REDIS_PASSWORD: SecretReference/,
    ],
    ['an API key as text', { extraEnv: { OPENAI_API_KEY: 'sk-1' } }, /^AIG449 (?!.*sk-1)/],
  ])('%s', (_, props, message) => {
    expect(() => aPicker(props)).toThrow(message);
  });

  it('are reported all at once', () => {
    expect(() => aPicker({ replicas: 0, logVerbosity: -1, resources: { cpuRequest: 'lots' } })).toThrow(
      /AIG448 replicas.*\n.*logVerbosity.*\n.*cpuRequest/,
    );
  });

  it.each([
    '',
    'has space:1',
    'UPPER/case:1',
    'repo:',
    'https://registry.example.com/picker:1',
    `a@sha256:${'0'.repeat(31)}`,
  ])('the image %p', (reference) => {
    expect(() => PickerDelivery.image(reference)).toThrow(/^AIG440 /);
  });

  it.each([
    'picker:1',
    'registry.example.com:5000/a/b_c/d-e:v1.2',
    `ghcr.io/x/y@sha256:${'0'.repeat(64)}`,
    `ghcr.io/x/y:1@sha256:${'0'.repeat(64)}`,
  ])('but not the image %p', (reference) => {
    expect(PickerDelivery.image(reference).isPinned).toBe(true);
  });

  it.each([
    'registry.example.com:5000/picker',
    'picker:latest',
  ])('warns of %s, which may be another picker tomorrow', (reference) => {
    const { chart, only } = aPicker({ delivery: PickerDelivery.image(reference) });
    expect(warningsBelow(chart).map(({ message }) => message)).toEqual([expect.stringContaining('no fixed version')]);
    expect(containerOf(only('Deployment')).imagePullPolicy).toBe('Always');
  });
});

function everything() {
  return {
    serviceMonitor: true,
    monitoring: [{ namespaceLabels: { 'kubernetes.io/metadata.name': 'observability' } }],
    scoring: Scoring.gpuAware(),
    priorityClassName: 'system-critical',
    nodeSelector: { pool: 'cpu' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    podLabels: { team: 'ml' },
    podAnnotations: { 'sidecar.istio.io/inject': 'false' },
    extraArgs: ['--max-body=32Mi'],
    extraEnv: { NODE_OPTIONS: '--max-semi-space-size=32' },
    secretEnv: { REDIS_PASSWORD: SecretReference.fromSecretName('redis', 'password') },
    imagePullSecrets: [{ name: 'registry' }],
    labels: { team: 'ml' },
    annotations: { owner: 'ada' },
  };
}
