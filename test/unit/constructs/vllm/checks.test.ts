import { Accelerator } from '../../../../src/constructs/values/accelerator';
import { LoraAdapter } from '../../../../src/constructs/values/model-files';
import { ModelSource } from '../../../../src/constructs/values/model-source';
import { Quantization } from '../../../../src/constructs/values/quantization';
import { SecretReference } from '../../../../src/constructs/values/secret-reference';
import type { VllmBackendProps } from '../../../../src/constructs/vllm-backend-props';
import { backend, codes, refusal } from './synth';

const h100 = (count: number) => Accelerator.nvidia('H100', { count });
const sql = LoraAdapter.path('sql', '/weights/sql');

const REFUSED: readonly (readonly [string, string, Partial<VllmBackendProps>])[] = [
  ['GPUs that stand idle', 'AIG411', { accelerator: h100(4), tensorParallel: 2 }],
  ['more ranks than GPUs', 'AIG411', { accelerator: h100(2), tensorParallel: 4 }],
  ['half a GPU', 'AIG411', { tensorParallel: 0.5 }],
  [
    'more stages than layers',
    'AIG411',
    { accelerator: Accelerator.custom('x/gpu', { count: 33, memoryGib: 80 }), pipelineParallel: 33 },
  ],
  ['heads that cannot be shared by three', 'AIG412', { accelerator: h100(3) }],
  ['a sequence beyond the model', 'AIG413', { maxModelLengthTokens: 131073 }],
  ['a sequence of no length', 'AIG413', { maxModelLengthTokens: 0 }],
  ['a percentage for a ratio', 'AIG414', { gpuMemoryUtilizationRatio: 90 }],
  ['no memory at all', 'AIG414', { gpuMemoryUtilizationRatio: 0 }],
  ['AWQ of a 16-bit checkpoint', 'AIG415', { quantization: Quantization.awq() }],
  [
    'fp8 on a T4',
    'AIG415',
    { accelerator: Accelerator.nvidia('T4', { count: 8 }), maxModelLengthTokens: 4096, quantization: Quantization.fp8() },
  ],
  ['a rank without kernels', 'AIG416', { adapters: [sql], maxLoraRank: 24 }],
  ['two adapters of one name', 'AIG416', { adapters: [sql, sql] }],
  ['an adapter with the name of the base model', 'AIG416', { adapters: [sql], servedModelNames: ['sql'] }],
  [
    'an adapter that an offline engine would download',
    'AIG416',
    { adapters: [LoraAdapter.huggingFace('sql', 'acme/sql')], model: ModelSource.s3('s3://models/llama') },
  ],
  ['room for adapters that there are none of', 'AIG416', { adapters: [sql], maxLoras: 2 }],
  ['LoRA settings without adapters', 'AIG416', { maxLoraRank: 32 }],
  ['a negative number of replicas', 'AIG417', { replicas: -1 }],
  ['a port below 1024', 'AIG417', { port: 80 }],
  ['ranks on the port of the supervisor', 'AIG417', { accelerator: h100(4), dataParallel: 4, port: 9254 }],
  ['no served name', 'AIG418', { servedModelNames: [] }],
  ['a served name twice', 'AIG418', { servedModelNames: ['a', 'a'] }],
  ['a flag that has a property', 'AIG421', { extraArgs: ['--max-model-len', '4096'] }],
  ['a flag that has a property, with underscores', 'AIG421', { extraArgs: ['--max_model_len=4096'] }],
  ['a short flag that has a property', 'AIG421', { extraArgs: ['-tp', '2'] }],
  ['a download without a network', 'AIG425', { egress: false }],
  [
    'a closed network without a policy',
    'AIG425',
    { egress: false, networkPolicy: false, model: ModelSource.persistentVolumeClaim({ name: 'w' }) },
  ],
];

test.each(REFUSED)('refuses %s with %s', (_what, code, props) => {
  const error = refusal(() => backend(props));
  expect(error?.problems.map((problem) => problem.code)).toEqual([code]);
  expect(error?.problem.fix).toMatch(/\w{3}/);
  expect(error?.constructPath).toBe('llm/llama');
});

const ALLOWED: readonly (readonly [string, Partial<VllmBackendProps>])[] = [
  ['zero replicas', { replicas: 0 }],
  ['KV heads that are repeated', { accelerator: Accelerator.nvidia('A100-80GB', { count: 16 }) }],
  ['an AWQ checkpoint', { model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct-AWQ'), quantization: Quantization.awq() }],
  ['a rank that vLLM has kernels for', { adapters: [sql], maxLoraRank: 320 }],
  ['flags without a property', { extraArgs: ['--seed', '7', '--enforce-eager'] }],
  ['all of the memory', { gpuMemoryUtilizationRatio: 1 }],
  ['variables that only sound secret', { env: { TOKENIZERS_PARALLELISM: 'false', MAX_TOKEN: '8', API_KEY_FILE: '/etc/key' } }],
];

test.each(ALLOWED)('allows %s', (_what, props) => {
  expect(codes(() => backend(props))).toEqual([]);
});

test('everything that is wrong is said at once', () => {
  const props = { accelerator: h100(3), replicas: -1, port: 80, extraArgs: ['--dtype=half'] };
  expect(codes(() => backend(props))).toEqual(['AIG412', 'AIG417', 'AIG417', 'AIG421']);
});

test('the message names the heads and the sizes that are possible', () => {
  const props = { model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'), accelerator: h100(8) };
  expect(refusal(() => backend(props))?.message).toBe(
    'AIG412 Qwen/Qwen2.5-7B-Instruct has 28 attention heads and 4 KV heads, which tensorParallel cannot share out (got 8; allowed: 1, 2, 4): ' +
      'use one of these, and pipelineParallel or dataParallel for the rest of the GPUs [llm/llama]',
  );
});

describe('secrets', () => {
  const LITERALS: readonly (readonly [string, Partial<VllmBackendProps>, string])[] = [
    ['an API key argument', { extraArgs: ['--some-api-key', 'hunter22'] }, 'hunter22'],
    ['an API key argument with =', { extraArgs: ['--some-api-key=hunter22'] }, 'hunter22'],
    ['a key that looks like one', { extraArgs: ['--header', 'sk-abcdefghijkl'] }, 'sk-abc'],
    ['a token in the environment', { env: { HF_TOKEN: 'abcdefgh' } }, 'abcdefgh'],
    ['a password in the environment', { env: { DB_PASSWORD: 'hunter22' } }, 'hunter22'],
    ['a Hugging Face token under any name', { env: { SOMETHING: 'hf_abcdefghijkl' } }, 'hf_abc'],
    ['an AWS key', { env: { SOMETHING: 'AKIAABCDEFGHIJKLMNOP' } }, 'AKIA'],
  ];

  test.each(LITERALS)('%s is refused, and not repeated in the message', (_what, props, literal) => {
    const error = refusal(() => backend(props));
    expect(error?.problems.map((problem) => problem.code)).toEqual(['AIG420']);
    expect(error?.message).not.toContain(literal);
    expect(error?.message).toMatch(/Secret/);
  });

  test("vLLM's own key argument is refused with the property to use", () => {
    const error = refusal(() => backend({ extraArgs: ['--api-key', 'sk-abcdefghijkl'] }));
    expect(error?.problems.map((problem) => problem.code)).toEqual(['AIG421', 'AIG420', 'AIG420']);
    expect(error?.message).toContain("apiKey: SecretReference.fromSecretName('my-secret', 'api-key')");
    expect(error?.message).not.toContain('sk-');
  });

  test.each([
    ['sk-abc def', 'key'],
    ['hf_ABCDEFGHIJ', 'key'],
    ['my-secret', 'two words'],
  ])('a reference to Secret %j with key %j is refused, as it is no name', (name, key) => {
    expect(refusal(() => SecretReference.fromSecretName(name, key))?.code).toBe('AIG420');
  });
});
