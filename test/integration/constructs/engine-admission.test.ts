import { Accelerator } from '../../../src/constructs/values/accelerator';
import { ChatTemplate, LoraAdapter, ModelCache } from '../../../src/constructs/values/model-files';
import { ModelSource } from '../../../src/constructs/values/model-source';
import { SecretReference } from '../../../src/constructs/values/secret-reference';
import type { VllmBackendProps } from '../../../src/constructs/vllm-backend-props';
import { describeWith } from '../../components/describe-with';
import { type ApiServer, startApiServer } from '../../conformance/apiserver';
import { backend, manifests } from '../../unit/constructs/vllm/synth';

const modelId = 'meta-llama/Llama-3.1-8B-Instruct';

describeWith(['kube-apiserver', 'etcd'], 'what an API server says of an engine', (programs) => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.createNamespace('ai');
  }, 90_000);
  afterAll(() => server?.stop());

  it.each<[string, Partial<VllmBackendProps>]>([
    ['with defaults', {}],
    [
      'from a claim, closed to the outside',
      { model: ModelSource.persistentVolumeClaim({ name: 'weights' }, { modelId }), egress: false },
    ],
    ['from an OCI image', { model: ModelSource.ociImage('registry.example/llama:8b', { modelId }) }],
    [
      'from S3, with a shared cache',
      { model: ModelSource.s3('s3://models/llama', { modelId }), cache: ModelCache.persistentVolumeClaim({ name: 'hub' }) },
    ],
    ['on a TPU', { accelerator: Accelerator.tpu('v6e', { count: 4 }) }],
    [
      'with ranks, TLS, a key, a template and adapters',
      {
        accelerator: Accelerator.nvidia('H100', { count: 8 }),
        replicas: 3,
        dataParallel: 4,
        tlsSecret: { name: 'tls' },
        apiKey: SecretReference.fromSecretName('engine', 'key'),
        chatTemplate: ChatTemplate.fromConfigMap({ name: 'templates' }, 'llama.jinja'),
        adapters: [LoraAdapter.huggingFace('sql', 'acme/sql')],
      },
    ],
  ])('%s: every object is admitted, without a warning', async (_, props) => {
    const objects = manifests(backend(props));
    for (const object of objects) {
      const verdict = await server.dryRunCreate(object);
      expect([object.kind, verdict.message, verdict.warnings]).toEqual([object.kind, '', []]);
    }
    // a Deployment is admitted whatever its template says; the Pod that its controller makes of it is not
    const { spec, metadata } = objects.find((object) => object.kind === 'Deployment').spec.template;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'engine', namespace: 'ai' }, spec };
    expect((await server.dryRunCreate(pod)).message).toBe('');
  });
});
