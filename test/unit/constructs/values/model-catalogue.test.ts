import { checkModelSpec, ModelCatalogue } from '../../../../src/constructs/values/model-catalogue/catalogue';
import type { ModelSpec } from '../../../../src/constructs/values/model-catalogue/model-spec';
import { refusal } from '../vllm/synth';

/** What a config says of the matrices, beside what the catalogue keeps. */
interface Matrices {
  /** `intermediate_size`, or the width of one expert. */
  readonly mlp: number;
  readonly experts?: number;
  /** Bias vectors of the query, key and value projections (Qwen2). */
  readonly attentionBias?: boolean;
  /** Norms of queries and keys (Qwen3, Gemma 3). */
  readonly headNorms?: boolean;
  /** Norms per layer. */
  readonly norms?: number;
}

/** Parameters of a decoder, summed over its matrices. */
function count(spec: ModelSpec, { mlp, experts = 1, attentionBias = false, headNorms = false, norms = 2 }: Matrices): number {
  const { layers, hiddenSize: hidden, attentionHeads: heads, vocabularySize: vocabulary } = spec;
  const kvHeads = spec.keyValueHeads ?? heads;
  const head = spec.headSize ?? hidden / heads;
  const attention = 2 * hidden * heads * head + 2 * hidden * kvHeads * head;
  const bias = attentionBias ? (heads + 2 * kvHeads) * head : 0;
  const router = experts > 1 ? hidden * experts : 0;
  const layer = attention + bias + (headNorms ? 2 * head : 0) + norms * hidden + experts * 3 * hidden * mlp + router;
  return layers * layer + hidden + (spec.tiedEmbeddings === true ? 1 : 2) * vocabulary * hidden;
}

const QWEN2 = { attentionBias: true };
const QWEN3 = { headNorms: true };
const GEMMA3 = { headNorms: true, norms: 4 };

test.each<[string, Matrices]>([
  ['meta-llama/Llama-2-7b-hf', { mlp: 11008 }],
  ['meta-llama/Llama-2-13b-hf', { mlp: 13824 }],
  ['meta-llama/Llama-2-70b-hf', { mlp: 28672 }],
  ['meta-llama/Meta-Llama-3-8B', { mlp: 14336 }],
  ['meta-llama/Meta-Llama-3-70B', { mlp: 28672 }],
  ['meta-llama/Llama-3.1-405B', { mlp: 53248 }],
  ['meta-llama/Llama-3.2-1B', { mlp: 8192 }],
  ['meta-llama/Llama-3.2-3B', { mlp: 8192 }],
  ['Qwen/Qwen2.5-0.5B', { mlp: 4864, ...QWEN2 }],
  ['Qwen/Qwen2.5-1.5B-Instruct', { mlp: 8960, ...QWEN2 }],
  ['Qwen/Qwen2.5-3B', { mlp: 11008, ...QWEN2 }],
  ['Qwen/Qwen2.5-7B', { mlp: 18944, ...QWEN2 }],
  ['Qwen/Qwen2.5-14B', { mlp: 13824, ...QWEN2 }],
  ['Qwen/Qwen2.5-32B', { mlp: 27648, ...QWEN2 }],
  ['Qwen/Qwen2.5-72B', { mlp: 29568, ...QWEN2 }],
  ['Qwen/Qwen3-0.6B', { mlp: 3072, ...QWEN3 }],
  ['Qwen/Qwen3-1.7B', { mlp: 6144, ...QWEN3 }],
  ['Qwen/Qwen3-4B', { mlp: 9728, ...QWEN3 }],
  ['Qwen/Qwen3-8B', { mlp: 12288, ...QWEN3 }],
  ['Qwen/Qwen3-14B', { mlp: 17408, ...QWEN3 }],
  ['Qwen/Qwen3-32B', { mlp: 25600, ...QWEN3 }],
  ['Qwen/Qwen3-30B-A3B', { mlp: 768, experts: 128, ...QWEN3 }],
  ['Qwen/Qwen3-235B-A22B', { mlp: 1536, experts: 128, ...QWEN3 }],
  ['Qwen/Qwen3-Coder-480B-A35B-Instruct', { mlp: 2560, experts: 160, ...QWEN3 }],
  ['mistralai/Mistral-7B-Instruct-v0.2', { mlp: 14336 }],
  ['mistralai/Mistral-7B-v0.3', { mlp: 14336 }],
  ['mistralai/Ministral-8B-Instruct-2410', { mlp: 12288 }],
  ['mistralai/Mistral-Nemo-Base-2407', { mlp: 14336 }],
  ['mistralai/Mistral-Small-24B-Base-2501', { mlp: 32768 }],
  ['mistralai/Mistral-Large-Instruct-2407', { mlp: 28672 }],
  ['mistralai/Mixtral-8x7B-v0.1', { mlp: 14336, experts: 8 }],
  ['mistralai/Mixtral-8x22B-v0.1', { mlp: 16384, experts: 8 }],
  ['mistralai/Mixtral-8x22B-Instruct-v0.1', { mlp: 16384, experts: 8 }],
  ['google/gemma-2-2b', { mlp: 9216, norms: 4 }],
  ['google/gemma-2-9b', { mlp: 14336, norms: 4 }],
  ['google/gemma-2-27b', { mlp: 36864, norms: 4 }],
  ['google/gemma-3-1b-pt', { mlp: 6912, ...GEMMA3 }],
  ['microsoft/Phi-3-mini-4k-instruct', { mlp: 8192 }],
  ['microsoft/Phi-3-medium-128k-instruct', { mlp: 17920 }],
  ['microsoft/phi-4', { mlp: 17920 }],
  ['microsoft/Phi-4-mini-instruct', { mlp: 8192 }],
  ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B', { mlp: 8960, ...QWEN2 }],
])('the parameters of %s are the sum over its matrices', (id, matrices) => {
  expect(ModelCatalogue.find(id)?.parameters).toBe(count(ModelCatalogue.find(id)!, matrices));
});

test.each<[string, number, Matrices]>([
  // with a vision encoder, which the text decoder's matrices leave out
  ['google/gemma-3-4b-pt', 0.1, { mlp: 10240, ...GEMMA3 }],
  ['google/gemma-3-12b-pt', 0.04, { mlp: 15360, ...GEMMA3 }],
  ['google/gemma-3-27b-pt', 0.02, { mlp: 21504, ...GEMMA3 }],
  ['mistralai/Mistral-Small-3.1-24B-Instruct-2503', 0.02, { mlp: 32768 }],
])('the decoder of %s has all but %d of the parameters', (id, ratio, matrices) => {
  const spec = ModelCatalogue.find(id)!;
  const decoder = count(spec, matrices);
  expect(spec.parameters).toBeGreaterThan(decoder);
  expect((spec.parameters - decoder) / spec.parameters).toBeLessThan(ratio);
});

test.each([
  ['mistralai/Mixtral-8x7B-v0.1', 32 * 8 * 3 * 4096 * 14336],
  ['Qwen/Qwen3-30B-A3B', 48 * 128 * 3 * 2048 * 768],
  ['Qwen/Qwen3-235B-A22B', 94 * 128 * 3 * 4096 * 1536],
  ['deepseek-ai/DeepSeek-V3', 58 * 256 * 3 * 7168 * 2048],
  ['moonshotai/Kimi-K2-Instruct', 60 * 384 * 3 * 7168 * 2048],
  ['openai/gpt-oss-20b', 24 * 32 * 3 * 2880 * 2880],
  ['openai/gpt-oss-120b', 36 * 128 * 3 * 2880 * 2880],
  ['meta-llama/Llama-4-Scout-17B-16E', 48 * 16 * 3 * 5120 * 8192],
  ['meta-llama/Llama-4-Maverick-17B-128E', 24 * 128 * 3 * 5120 * 8192],
])('the experts of %s have the parameters of their matrices', (id, parameters) => {
  expect(ModelCatalogue.find(id)?.expertParameters).toBe(parameters);
});

test('every entry is consistent, has a source, and is found in any case', () => {
  expect(ModelCatalogue.ids().length).toBeGreaterThan(100);
  for (const id of ModelCatalogue.ids()) {
    const spec = ModelCatalogue.find(id.toUpperCase())!;
    expect(spec.id).toBe(id);
    expect(spec.source).toMatch(/\w{5}/);
    checkModelSpec(spec);
  }
});

test.each([
  ['Qwen/Qwen3-32B-FP8', 8],
  ['Qwen/Qwen2.5-72B-Instruct-AWQ', 4.15625],
  ['Qwen/Qwen2.5-72B-Instruct-GPTQ-Int8', 8.15625],
  ['Qwen/Qwen3-32B', undefined],
])('%s has weights of %s bits', (id, bits) => {
  expect(ModelCatalogue.find(id)?.checkpointBits).toBe(bits);
});

test.each(['acme/unknown', 'acme/unknown-FP8', 'Qwen3-32B', ''])('%j is not known', (id) => {
  expect(ModelCatalogue.find(id)).toBeUndefined();
});

describe('figures that contradict each other are refused', () => {
  const good: ModelSpec = { ...ModelCatalogue.find('google/gemma-2-9b')!, id: 'acme/model' };

  test.each<[string, Partial<ModelSpec>]>([
    ['parameters in billions', { parameters: 9.24 }],
    ['heads that do not divide', { keyValueHeads: 5 }],
    ['no layers', { layers: 0 }],
    ['half a layer', { layers: 1.5 }],
    ['bits per byte', { checkpointBits: 0.5 }],
    ['experts only', { expertParameters: 1e12 }],
    ['more full layers than layers', { fullAttentionLayers: 43 }],
    ['a window of unknown size', { slidingWindowTokens: undefined }],
  ])('%s', (_what, change) => {
    expect(refusal(() => ModelCatalogue.add({ ...good, ...change }))?.code).toBe('AIG427');
    expect(ModelCatalogue.find('acme/model')).toBeUndefined();
  });
});
