import { EndpointPicker } from '../../../src/constructs/endpoint-picker';
import { PickerDelivery } from '../../../src/constructs/values/picker-delivery';
import { Scoring } from '../../../src/constructs/values/scoring';
import { describeWith } from '../../components/describe-with';
import { type ApiServer, startApiServer } from '../../conformance/apiserver';
import type { KubernetesObject } from '../../conformance/apiserver-client';
import { aPicker, aProgram, noise } from '../../unit/constructs/picker/support';

/** The object as `kubectl apply` sends it the first time: with itself in an annotation. */
function applied(object: KubernetesObject): KubernetesObject {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n` };
  const metadata = {
    ...object.metadata,
    annotations: { ...(object.metadata as { annotations?: object }).annotations, ...annotations },
  };
  return { ...object, metadata };
}

describeWith(['kube-apiserver', 'etcd'], 'what an API server says of a picker', (programs) => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.installCrds(['prometheus-operator']);
    await server.createNamespace('llm');
  }, 90_000);
  afterAll(() => server?.stop());

  it.each<[string, Parameters<typeof aPicker>[0]]>([
    ['in ConfigMaps', { delivery: PickerDelivery.configMap({ bundleFile: aProgram(noise(900_000)) }), serviceMonitor: true }],
    ['with an image and a configuration', { scoring: Scoring.gpuAware(), secureServing: false }],
    ['of llm-d', { ...EndpointPicker.llmd(), delivery: undefined }],
  ])('%s: every object is admitted as kubectl applies it', async (_, options) => {
    for (const object of aPicker(options).objects()) {
      const verdict = await server.dryRunCreate(applied(object));
      expect([object.kind, verdict.message, verdict.warnings]).toEqual([object.kind, '', []]);
    }
  });

  it('refuses one ConfigMap with a whole program, which is why there are several', async () => {
    const parts = aPicker({ delivery: PickerDelivery.configMap({ bundleFile: aProgram(noise(900_000)) }) })
      .objects()
      .filter(({ kind }) => kind === 'ConfigMap');
    const whole = { ...parts[0], binaryData: Object.assign({}, ...parts.map(({ binaryData }) => binaryData)) };
    expect((await server.dryRunCreate(applied(whole))).message).toMatch(/metadata.annotations: Too long/);
  });
});
