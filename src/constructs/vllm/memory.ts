import { embeddingParameters, type ResolvedModelSpec } from '../values/model-catalogue/model-spec';
import type { Parallelism } from './parallelism';

export const GIB = 1024 ** 3;

/** One way to serve a model: everything that decides how much memory each GPU needs. */
export interface EngineShape {
  readonly spec: ResolvedModelSpec;
  readonly split: Parallelism;
  readonly gpuName: string;
  /** Memory of one GPU. */
  readonly gpuMemoryGib: number;
  readonly utilizationRatio: number;
  readonly maxModelLengthTokens: number;
  /** Average bits of a weight outside the embeddings. */
  readonly weightBits: number;
  readonly kvBytesPerElement: number;
  /** Undefined for vLLM's default, which depends on the GPU. */
  readonly maxSequences: number | undefined;
  /** Undefined for vLLM's default, which depends on the GPU. */
  readonly maxBatchedTokens: number | undefined;
  readonly loras: number;
  readonly loraRank: number;
}

/** Memory of one GPU in GiB. */
export interface GpuMemory {
  readonly weightsGib: number;
  /** KV cache of one sequence of the full length, the least that vLLM starts with. */
  readonly sequenceGib: number;
  /** Activations, sampler, CUDA graphs, runtime and communication. */
  readonly overheadGib: number;
  readonly loraGib: number;
  readonly neededGib: number;
  readonly availableGib: number;
}

const EMBEDDING_BYTES = 2;
const BLOCK_TOKENS = 16;
/** vLLM's profile run samples from `maxSequences` rows of logits: 32-bit logits, their sorted copy, and 64-bit indices. */
const SAMPLER_BYTES_PER_LOGIT = 16;
/** Residual, normalized state, and the three matrices of the MLP, 3.5 times as wide, in 16 bit, at the peak of one layer. */
const ACTIVATION_BYTES_PER_ELEMENT = 20;
/** Permuted tokens of the expert layers. */
const EXPERT_ACTIVATION_GIB = 0.5;
const CUDA_GRAPH_GIB = 0.5;
/** CUDA context outside PyTorch; with several GPUs also NCCL and custom all-reduce buffers. */
const RUNTIME_GIB = 0.3;
const RUNTIME_PARALLEL_GIB = 2.1;

/**
 * What one GPU needs and has:
 *
 *     weights  = (parameters - embeddings) x bits / 8 + embeddings x 2, shared by tensor and pipeline parallel GPUs
 *     sequence = layers x 2 x ceil(KV heads / tensor) x head size x bytes x tokens     (latent attention: layers x latent x bytes x tokens)
 *     overhead = max(16 x sequences x vocabulary, 20 x batched tokens x hidden + 0.5 GiB with experts) + 0.5 GiB (graphs) + 0.3 or 2.1 GiB (runtime)
 *     there is = memory x utilization
 *
 * The constants of the overhead reproduce, within 0.4 GiB, the peaks that llm-d's planner publishes for vLLM 0.19 on an H100: Llama 8B
 * 1.89, Qwen3 2.21 and 2.68 with experts, Gemma 2 3.65, DeepSeek V3 1.93, Mixtral 1.21 GiB, and 0.27 or 2.10 GiB outside PyTorch.
 */
export function gpuMemory(shape: EngineShape): GpuMemory {
  const weightsGib = weightBytesPerGpu(shape) / GIB;
  const sequenceGib = sequenceBytesPerGpu(shape, shape.maxModelLengthTokens) / GIB;
  const overheadGib = overheadBytesPerGpu(shape) / GIB;
  const loraGib = loraBytesPerGpu(shape) / GIB;
  return {
    weightsGib,
    sequenceGib,
    overheadGib,
    loraGib,
    neededGib: weightsGib + sequenceGib + overheadGib + loraGib,
    availableGib: shape.gpuMemoryGib * shape.utilizationRatio,
  };
}

export function fits(shape: EngineShape): boolean {
  const memory = gpuMemory(shape);
  return memory.neededGib <= memory.availableGib;
}

/** Bytes of one copy of the model's weights. */
export function weightBytes(spec: ResolvedModelSpec, weightBits: number): number {
  const embeddings = embeddingParameters(spec);
  return ((spec.parameters - embeddings) * weightBits) / 8 + embeddings * EMBEDDING_BYTES;
}

function weightBytesPerGpu({ spec, split, weightBits }: EngineShape): number {
  const embeddings = embeddingParameters(spec);
  const bytes = weightBits / 8;
  const experts = spec.expertParameters * bytes;
  const others = (spec.parameters - spec.expertParameters - embeddings) * bytes;
  const stage = Math.ceil(spec.layers / split.pipeline) / spec.layers;
  // the first stage has the embedding table, the last one the head
  const tables = split.pipeline > 1 && !spec.tiedEmbeddings ? 0.5 : 1;
  // data-parallel ranks of a model with experts share the experts, and each has all the rest
  return (
    stage * (others / split.tensor + experts / (split.tensor * split.data)) +
    (tables * embeddings * EMBEDDING_BYTES) / split.tensor
  );
}

/** KV cache of one sequence of `tokens` on each GPU. */
export function sequenceBytesPerGpu(shape: EngineShape, tokens: number): number {
  const { spec, split } = shape;
  const elements = spec.latentSize ?? 2 * Math.ceil(spec.keyValueHeads / split.tensor) * spec.headSize;
  const bytesPerLayer = elements * shape.kvBytesPerElement;
  const whole = spec.fullAttentionLayers;
  const windowed = spec.layers - whole;
  // vLLM allocates layers in groups as large as the smaller kind, and pads the last one
  const grouped = whole > 0 && windowed > whole ? Math.ceil(windowed / whole) * whole : windowed;
  const window = spec.slidingWindowTokens ?? tokens;
  const windowTokens = Math.min(tokens, window - 1 + batchedTokens(shape));
  const stage = (layers: number): number => Math.ceil(layers / split.pipeline);
  return bytesPerLayer * (stage(whole) * blocks(tokens) + stage(grouped) * blocks(windowTokens));
}

function blocks(tokens: number): number {
  return Math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS;
}

function overheadBytesPerGpu(shape: EngineShape): number {
  const { spec, split } = shape;
  const sampler = SAMPLER_BYTES_PER_LOGIT * sequences(shape) * spec.vocabularySize;
  const experts = spec.expertParameters > 0 ? EXPERT_ACTIVATION_GIB * GIB : 0;
  const layer = ACTIVATION_BYTES_PER_ELEMENT * batchedTokens(shape) * spec.hiddenSize + experts;
  const parallel = split.tensor * split.pipeline > 1;
  // the layers are done when the sampler begins, so that the larger of the two counts
  return Math.max(sampler, layer) + (CUDA_GRAPH_GIB + (parallel ? RUNTIME_PARALLEL_GIB : RUNTIME_GIB)) * GIB;
}

/**
 * vLLM reserves `loras` adapters of the highest rank for all linear layers: a rank needs the sum of their inputs and outputs, about 22
 * times the hidden size per layer (8 for attention, 13.5 for an MLP 3.5 times as wide). Half of it is shared out by tensor parallelism.
 */
function loraBytesPerGpu({ spec, split, loras, loraRank }: EngineShape): number {
  return loras * loraRank * spec.layers * 22 * spec.hiddenSize * 2 * (0.5 + 0.5 / split.tensor);
}

/** `EngineArgs.get_batch_defaults` of vLLM 0.30 for its OpenAI server. */
function sequences(shape: EngineShape): number {
  return shape.maxSequences ?? (isLarge(shape) ? 1024 : 256);
}

function batchedTokens(shape: EngineShape): number {
  if (shape.maxBatchedTokens !== undefined) return shape.maxBatchedTokens;
  if (shape.gpuMemoryGib >= 160) return 16384;
  return isLarge(shape) ? 8192 : 2048;
}

function isLarge(shape: EngineShape): boolean {
  return shape.gpuMemoryGib >= 70 && !/a100/i.test(shape.gpuName);
}
