import { LoraAdapter, ModelCache } from '../../../../src/constructs/values/model-files';
import { ModelSource } from '../../../../src/constructs/values/model-source';
import { SecretReference } from '../../../../src/constructs/values/secret-reference';
import { backend, engineOf, type Manifest, objectOf, podOf, refusal } from '../vllm/synth';

const env = (container: Manifest): Record<string, string> =>
  Object.fromEntries(
    container.env.map((variable: Manifest) => [variable.name, variable.value ?? variable.valueFrom.secretKeyRef]),
  );

test('a Hugging Face model is downloaded by the engine, with the token from its Secret', () => {
  const model = ModelSource.huggingFace('Qwen/Qwen3-8B', {
    token: SecretReference.fromSecretName('hf', 'token'),
    revision: 'b968826',
  });
  const engine = engineOf(backend({ model }));
  expect(engine.args.slice(0, 2)).toEqual(['Qwen/Qwen3-8B', '--revision=b968826']);
  expect(env(engine)).toMatchObject({ HF_TOKEN: { name: 'hf', key: 'token' } });
  expect(env(engine)).not.toHaveProperty('HF_HUB_OFFLINE');
});

test('a claim is mounted read-only, and nothing is downloaded', () => {
  const made = backend({
    model: ModelSource.persistentVolumeClaim({ name: 'weights' }, { path: '/llama/8b/', modelId: 'meta-llama/Llama-3.1-8B' }),
  });
  expect(podOf(made).volumes).toContainEqual({
    name: 'weights',
    persistentVolumeClaim: { claimName: 'weights', readOnly: true },
  });
  expect(engineOf(made).volumeMounts).toContainEqual({ name: 'weights', mountPath: '/weights', readOnly: true });
  expect(engineOf(made).args[0]).toBe('/weights/llama/8b');
  expect(env(engineOf(made))).toMatchObject({ HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' });
  expect(made.servedModelNames).toEqual(['meta-llama/Llama-3.1-8B']);
});

test('an OCI image is an image volume', () => {
  const made = backend({ model: ModelSource.ociImage('registry.example/models/llama:8b') });
  expect(podOf(made).volumes).toContainEqual({
    name: 'weights',
    image: { reference: 'registry.example/models/llama:8b', pullPolicy: 'IfNotPresent' },
  });
  expect(engineOf(made).args[0]).toBe('/weights');
});

test('a mounted model takes no room on the disk', () => {
  const model = ModelSource.ociImage('r/llama:8b', { modelId: 'meta-llama/Llama-3.1-8B' });
  expect(podOf(backend({ model })).volumes[1].emptyDir.sizeLimit).toBe('20Gi');
});

test('files of an S3 bucket are copied into the cache before the engine starts', () => {
  const model = ModelSource.s3('s3://models/llama/8b/', {
    endpoint: 'https://minio.storage.svc:9000',
    region: 'eu-central-1',
    accessKeyId: SecretReference.fromSecretName('s3', 'id'),
    secretAccessKey: SecretReference.fromSecretName('s3', 'key'),
    modelId: 'meta-llama/Llama-3.1-8B',
  });
  const pod = podOf(backend({ model }));
  const [copy] = pod.initContainers;
  expect(copy.command.slice(0, 2)).toEqual(['rclone', 'copy']);
  expect(copy.args).toEqual(['source:models/llama/8b', '/cache/models/models/llama/8b']);
  expect(copy.volumeMounts).toEqual([{ name: 'cache', mountPath: '/cache' }]);
  expect(env(copy)).toMatchObject({
    RCLONE_CONFIG_SOURCE_TYPE: 's3',
    RCLONE_CONFIG_SOURCE_PROVIDER: 'Other',
    RCLONE_CONFIG_SOURCE_ENDPOINT: 'https://minio.storage.svc:9000',
    RCLONE_CONFIG_SOURCE_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: { name: 's3', key: 'id' },
    AWS_SECRET_ACCESS_KEY: { name: 's3', key: 'key' },
  });
  expect(pod.containers[0].args[0]).toBe('/cache/models/models/llama/8b');
  expect(copy.securityContext.capabilities.drop).toEqual(['ALL']);
});

test('a bucket of Google Cloud Storage needs no key', () => {
  const [copy] = podOf(backend({ model: ModelSource.gcs('gs://models/llama'), serviceAccountName: 'reader' })).initContainers;
  expect(env(copy)).toMatchObject({ RCLONE_CONFIG_SOURCE_TYPE: 'google cloud storage', RCLONE_CONFIG_SOURCE_ENV_AUTH: 'true' });
  expect(copy.args[0]).toBe('source:models/llama');
});

test('the copy counts for the rollout, not for the startup probe', () => {
  const modelId = 'meta-llama/Llama-3.1-8B';
  const { spec } = objectOf(backend({ model: ModelSource.s3('s3://models/llama', { modelId }) }), 'Deployment');
  // 16.06e9 bytes: 322 s for the copy at half of 100 MB/s; 161 s for the load at half of 200 MB/s and 300 s
  expect(spec.template.spec.containers[0].startupProbe.failureThreshold).toBe(47);
  expect(spec.progressDeadlineSeconds).toBe(645 + 600 + 322 + 461);
});

test.each<[string, () => unknown]>([
  ['a Hugging Face id without organisation', () => ModelSource.huggingFace('llama')],
  ['a URL for a Hugging Face id', () => ModelSource.huggingFace('https://huggingface.co/a/b')],
  ['an image without a tag', () => ModelSource.ociImage('registry.example/llama')],
  ['an image with a port and no tag', () => ModelSource.ociImage('registry.example:5000/llama')],
  ['a bucket without a folder', () => ModelSource.s3('s3://models')],
  ['half a key', () => ModelSource.s3('s3://models/llama', { accessKeyId: SecretReference.fromSecretName('s3', 'id') })],
  ['the wrong scheme', () => ModelSource.s3('gs://models/llama')],
  ['a folder that leaves the bucket', () => ModelSource.gcs('gs://models/../llama')],
  ['a path that leaves the volume', () => ModelSource.persistentVolumeClaim({ name: 'w' }, { path: '../etc' })],
])('%s is refused', (_what, make) => {
  expect(refusal(make)?.code).toBe('AIG423');
});

test.each([
  ['a b', '/x'],
  ['a=b', '/x'],
  ['a', '/x,y'],
])('an adapter named %j at %j is refused', (name, path) => {
  expect(refusal(() => LoraAdapter.path(name, path))?.code).toBe('AIG416');
});

test('the cache can be a claim or a part of the disk of a given size', () => {
  expect(podOf(backend({ cache: ModelCache.persistentVolumeClaim({ name: 'hub' }) })).volumes[1]).toEqual({
    name: 'cache',
    persistentVolumeClaim: { claimName: 'hub' },
  });
  expect(podOf(backend({ cache: ModelCache.ephemeral(500) })).volumes[1].emptyDir).toEqual({ sizeLimit: '500Gi' });
});
