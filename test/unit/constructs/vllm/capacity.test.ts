import { warningsBelow } from '../../../../src/constructs/internal/emit';
import { Accelerator } from '../../../../src/constructs/values/accelerator';
import { KvCacheDataType } from '../../../../src/constructs/values/data-type';
import { ModelCatalogue } from '../../../../src/constructs/values/model-catalogue/catalogue';
import { type ModelSpec, resolveModelSpec } from '../../../../src/constructs/values/model-catalogue/model-spec';
import { LoraAdapter } from '../../../../src/constructs/values/model-files';
import { ModelSource } from '../../../../src/constructs/values/model-source';
import { Quantization } from '../../../../src/constructs/values/quantization';
import { type EngineShape, GIB, gpuMemory, sequenceBytesPerGpu, weightBytes } from '../../../../src/constructs/vllm/memory';
import { CapacityCheck, type VllmBackendProps } from '../../../../src/constructs/vllm-backend-props';
import { backend, codes, refusal } from './synth';

const LLAMA3_70B = ModelSource.huggingFace('meta-llama/Meta-Llama-3-70B-Instruct');

function shape(id: string, change: Partial<EngineShape> = {}): EngineShape {
  const spec = resolveModelSpec(ModelCatalogue.find(id)!);
  return {
    spec,
    split: { tensor: 1, pipeline: 1, data: 1 },
    gpuName: 'H100',
    gpuMemoryGib: 79.11,
    utilizationRatio: 0.9,
    maxModelLengthTokens: 8192,
    weightBits: spec.checkpointBits,
    kvBytesPerElement: 2,
    maxSequences: undefined,
    maxBatchedTokens: undefined,
    loras: 0,
    loraRank: 16,
    ...change,
  };
}

describe('Llama 3 70B', () => {
  test('is refused on four GPUs of 24 GB, with the arithmetic and with what fits', () => {
    const error = refusal(() => backend({ model: LLAMA3_70B, accelerator: Accelerator.nvidia('A10G', { count: 4 }) }));
    expect(error?.message).toBe(
      'AIG410 meta-llama/Meta-Llama-3-70B-Instruct does not fit 4 x A10G; per accelerator: weights 70.55e9 x 16 bit = 131.4 GiB / 4 = 32.9, ' +
        'KV cache of one sequence of 8,192 tokens 0.63, activations and runtime 3.09: 36.6 GiB needed, 22.03 x 0.9 = 19.8 GiB there: ' +
        'any one of these fits: a 4-bit checkpoint with quantization: Quantization.awq(); 4 x L40S or A100-80GB or H100 or H200 or B200 or GB200 ' +
        '[llm/llama]',
    );
  });

  test('passes on four H100 with 8,192 tokens and 90 % of the memory', () => {
    const props = { model: LLAMA3_70B, accelerator: Accelerator.nvidia('H100', { count: 4 }), maxModelLengthTokens: 8192 };
    expect(codes(() => backend({ ...props, gpuMemoryUtilizationRatio: 0.9 }))).toEqual([]);
  });
});

// What is known to start, and what is known not to: model cards, vLLM recipes and issues.
const FITS: readonly (readonly [string, string, number, Partial<VllmBackendProps>])[] = [
  ['meta-llama/Llama-3.1-8B-Instruct', 'L4', 1, { maxModelLengthTokens: 16384 }],
  ['openai/gpt-oss-120b', 'H100', 1, {}],
  ['openai/gpt-oss-20b', 'L4', 1, {}],
  ['deepseek-ai/DeepSeek-R1', 'H200', 8, {}],
  ['Qwen/Qwen3-235B-A22B', 'H100', 8, {}],
  ['mistralai/Mixtral-8x7B-Instruct-v0.1', 'A100-80GB', 2, {}],
  ['google/gemma-3-27b-it', 'H100', 1, {}],
  ['meta-llama/Llama-3.1-405B-Instruct', 'H100', 8, { quantization: Quantization.fp8() }],
  ['Qwen/Qwen2.5-72B-Instruct-AWQ', 'L40S', 2, { quantization: Quantization.awq() }],
];
const FITS_NOT: readonly (readonly [string, string, number, Partial<VllmBackendProps>])[] = [
  ['meta-llama/Llama-3.1-8B-Instruct', 'L4', 1, {}],
  ['meta-llama/Llama-3.3-70B-Instruct', 'H100', 1, {}],
  ['deepseek-ai/DeepSeek-R1', 'H100', 8, {}],
  ['meta-llama/Llama-3.1-405B-Instruct', 'H100', 8, {}],
  ['openai/gpt-oss-120b', 'L40S', 1, {}],
  ['Qwen/Qwen3-32B', 'A100-40GB', 1, {}],
];

test.each(FITS)('%s fits %s x %d', (model, gpu, count, props) => {
  const accelerator = Accelerator.nvidia(gpu, { count });
  expect(codes(() => backend({ model: ModelSource.huggingFace(model), accelerator, ...props }))).toEqual([]);
});

test.each(FITS_NOT)('%s does not fit %s x %d', (model, gpu, count, props) => {
  const accelerator = Accelerator.nvidia(gpu, { count });
  expect(codes(() => backend({ model: ModelSource.huggingFace(model), accelerator, ...props }))).toEqual(['AIG410']);
});

test.each(FITS_NOT)('what the message for %s on %s x %d offers does fit', (model, gpu, count) => {
  const props = { model: ModelSource.huggingFace(model), accelerator: Accelerator.nvidia(gpu, { count }) };
  const message = refusal(() => backend(props))!.message;
  const offers: Partial<VllmBackendProps>[] = [];
  const length = /maxModelLengthTokens: (\d+)/.exec(message)?.[1];
  if (length !== undefined) offers.push({ maxModelLengthTokens: Number(length) });
  if (message.includes('KvCacheDataType.FP8')) offers.push({ kvCacheDtype: KvCacheDataType.FP8 });
  if (message.includes('Quantization.fp8()')) offers.push({ quantization: Quantization.fp8() });
  for (const [, many, names] of message.matchAll(/(?<=[:;] )(\d+) x ([\w -]+?)(?=;| \[)/g)) {
    for (const name of names!.split(' or ')) offers.push({ accelerator: Accelerator.nvidia(name, { count: Number(many) }) });
  }
  expect(offers).not.toHaveLength(0);
  for (const offer of offers) expect(codes(() => backend({ ...props, ...offer }))).toEqual([]);
});

test('one token more than the length that is offered does not fit', () => {
  const props = { accelerator: Accelerator.nvidia('L4') };
  const length = Number(/maxModelLengthTokens: (\d+)/.exec(refusal(() => backend(props))!.message)![1]);
  expect(codes(() => backend({ ...props, maxModelLengthTokens: length }))).toEqual([]);
  expect(codes(() => backend({ ...props, maxModelLengthTokens: length + 1024 }))).toEqual(['AIG410']);
});

test('where no single change fits, the message says to combine', () => {
  const model = ModelSource.huggingFace('deepseek-ai/DeepSeek-R1');
  expect(refusal(() => backend({ model, accelerator: Accelerator.nvidia('T4') }))?.problem.fix).toMatch(
    /no single change fits: combine/,
  );
});

test('more GPUs are offered only where they can share the heads', () => {
  // 28 heads and 4 KV heads cannot be shared by 8
  const model = ModelSource.huggingFace('Qwen/Qwen2.5-7B');
  const props = { model, accelerator: Accelerator.nvidia('T4', { count: 4 }), maxSequences: 2600 };
  expect(refusal(() => backend(props))?.message).not.toContain('8 x T4');
});

describe('the arithmetic', () => {
  test.each([
    // model card: checkpoints of 12.8 and 60.8 GiB
    ['openai/gpt-oss-20b', 12.8],
    ['openai/gpt-oss-120b', 60.8],
    ['meta-llama/Llama-3.1-8B', 14.96],
    ['meta-llama/Llama-3.1-70B', 131.4],
  ])('weights of %s are %d GiB', (id, gib) => {
    const spec = resolveModelSpec(ModelCatalogue.find(id)!);
    expect(weightBytes(spec, spec.checkpointBits) / GIB).toBeCloseTo(gib, 1);
  });

  test.each([
    // 2 x KV heads x head size x layers x 2 bytes
    ['meta-llama/Llama-3.1-8B', 1, 131072],
    ['meta-llama/Llama-3.1-70B', 1, 327680],
    ['meta-llama/Llama-3.1-70B', 4, 81920],
    // KV heads are repeated when there are fewer than GPUs
    ['Qwen/Qwen3-235B-A22B', 8, 2 * 1 * 128 * 94 * 2],
    // one latent of 576 elements per layer, on every GPU
    ['deepseek-ai/DeepSeek-R1', 8, 576 * 61 * 2],
  ])('a token of %s takes on each of %d GPUs %d bytes of KV cache', (id, tensor, bytes) => {
    expect(sequenceBytesPerGpu(shape(id, { split: { tensor, pipeline: 1, data: 1 } }), 1600) / 1600).toBe(bytes);
  });

  test('sliding-window layers keep the window and the tokens of one step only', () => {
    const gemma = shape('google/gemma-3-27b-it');
    const perLayer = 2 * 16 * 128 * 2;
    // 10 global layers; 52 local ones in groups of 10 are 60, each with 1,023 + 8,192 tokens in blocks of 16
    expect(sequenceBytesPerGpu(gemma, 131072)).toBe(perLayer * (10 * 131072 + 60 * 9216));
    expect(sequenceBytesPerGpu(gemma, 1600)).toBe(perLayer * 70 * 1600);
  });

  // llm-d planner, calibrated against vLLM 0.19 on H100: activations and the memory outside PyTorch at one GPU
  test.each([
    ['meta-llama/Llama-3.1-8B', 1.89],
    ['Qwen/Qwen3-8B', 2.21],
    ['Qwen/Qwen2.5-7B', 2.25],
    ['Qwen/Qwen3-30B-A3B', 2.68],
    ['google/gemma-2-9b', 3.65],
    ['google/gemma-3-27b-it', 3.94],
    ['microsoft/phi-4', 1.52],
    ['mistralai/Mixtral-8x7B-v0.1', 1.21],
    ['deepseek-ai/DeepSeek-R1', 1.93],
  ])('the overhead of %s is near the measured %d GiB of activations and 0.27 GiB of runtime', (id, measured) => {
    const graphsGib = 0.5;
    const { overheadGib } = gpuMemory(shape(id));
    expect(Math.abs(overheadGib - graphsGib - 0.27 - measured)).toBeLessThan(0.4);
  });

  // EngineArgs.get_batch_defaults: tokens per step and sequences decide the overhead
  test.each([
    ['L4', 22.03, 256, 2048],
    ['A100-80GB', 79.14, 256, 2048],
    ['H100', 79.11, 1024, 8192],
    ['B200', 178.35, 1024, 16384],
  ])('the batch of an engine on %s is what vLLM chooses', (gpuName, gpuMemoryGib, maxSequences, maxBatchedTokens) => {
    const ours = shape('meta-llama/Llama-3.1-405B', { gpuName, gpuMemoryGib, maxSequences: undefined });
    const given = (change: Partial<EngineShape>) => gpuMemory({ ...ours, ...change }).overheadGib;
    expect(given({ maxBatchedTokens: 1 })).toBe(given({ maxBatchedTokens: 1, maxSequences }));
    expect(given({ maxSequences: 1 })).toBe(given({ maxSequences: 1, maxBatchedTokens }));
  });

  test('pipeline stages share the layers, and the first or last one has a table more than its share', () => {
    const whole = gpuMemory(shape('meta-llama/Llama-3.1-70B')).weightsGib;
    const half = gpuMemory(shape('meta-llama/Llama-3.1-70B', { split: { tensor: 1, pipeline: 2, data: 1 } })).weightsGib;
    expect(half).toBeCloseTo(whole / 2, 3);
    const third = gpuMemory(shape('meta-llama/Llama-3.1-70B', { split: { tensor: 1, pipeline: 3, data: 1 } })).weightsGib;
    expect(third).toBeGreaterThan(whole / 3);
  });

  test('data-parallel ranks share experts and repeat the rest', () => {
    const ranks = (id: string) => gpuMemory(shape(id, { split: { tensor: 1, pipeline: 1, data: 8 } })).weightsGib;
    const spec = ModelCatalogue.find('Qwen/Qwen3-30B-A3B')!;
    const rest = spec.parameters - spec.expertParameters!;
    expect(ranks('Qwen/Qwen3-30B-A3B')).toBeCloseTo((2 * (rest + spec.expertParameters! / 8)) / GIB, 3);
    expect(ranks('meta-llama/Llama-3.1-8B')).toBeCloseTo(14.96, 1);
  });

  test('adapters, more sequences and more tokens per step need more', () => {
    const base = gpuMemory(shape('meta-llama/Llama-3.1-8B')).neededGib;
    for (const change of [{ loras: 4 }, { maxSequences: 2048 }, { maxBatchedTokens: 65536 }]) {
      expect(gpuMemory(shape('meta-llama/Llama-3.1-8B', change)).neededGib).toBeGreaterThan(base);
    }
  });

  test('adapters stand in the message', () => {
    const adapters = [LoraAdapter.path('a', '/weights/a')];
    const error = refusal(() => backend({ accelerator: Accelerator.nvidia('L4'), adapters }));
    expect(error?.message).toContain('LoRA adapters 0.0');
  });
});

describe('what is not in the catalogue', () => {
  const spec: ModelSpec = {
    id: 'acme/huge',
    parameters: 200e9,
    layers: 80,
    hiddenSize: 8192,
    attentionHeads: 64,
    keyValueHeads: 8,
    vocabularySize: 128000,
    contextTokens: 8192,
  };
  const model = ModelSource.huggingFace('acme/huge');

  test('is a warning, and nothing is refused', () => {
    expect(warningsBelow(backend({ model }))[0]?.message).toMatch(/whether acme\/huge fits 1 x H100 is not known/);
  });

  test('is checked with the figures that the user gives', () => {
    expect(codes(() => backend({ model, modelSpec: spec }))).toEqual(['AIG410']);
  });

  test('is checked once it was added', () => {
    const added = { ...spec, id: 'acme/added' };
    ModelCatalogue.add(added);
    expect(codes(() => backend({ model: ModelSource.huggingFace('Acme/Added') }))).toEqual(['AIG410']);
  });

  test.each([
    [CapacityCheck.WARN, 1],
    [CapacityCheck.OFF, 0],
  ])('with %s nothing is refused', (capacityCheck, warnings) => {
    expect(warningsBelow(backend({ model, modelSpec: spec, capacityCheck }))).toHaveLength(warnings);
  });

  test('an accelerator of unknown memory is a warning', () => {
    const made = backend({ accelerator: Accelerator.custom('habana.ai/gaudi') });
    expect(warningsBelow(made)[0]?.message).toMatch(/memoryGib/);
  });
});
