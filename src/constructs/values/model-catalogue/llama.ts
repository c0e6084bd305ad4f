import { type CatalogueEntry, CONFIG } from './entry';

const llama3 = { vocabularySize: 128256, source: CONFIG };
const shape1b = {
  ...llama3,
  parameters: 1235814400,
  layers: 16,
  hiddenSize: 2048,
  attentionHeads: 32,
  keyValueHeads: 8,
  headSize: 64,
  tiedEmbeddings: true,
};
const shape3b = {
  ...llama3,
  parameters: 3212749824,
  layers: 28,
  hiddenSize: 3072,
  attentionHeads: 24,
  keyValueHeads: 8,
  headSize: 128,
  tiedEmbeddings: true,
};
const shape8b = { ...llama3, parameters: 8030261248, layers: 32, hiddenSize: 4096, attentionHeads: 32, keyValueHeads: 8 };
const shape70b = { ...llama3, parameters: 70553706496, layers: 80, hiddenSize: 8192, attentionHeads: 64, keyValueHeads: 8 };

/** Llama 4 attends to chunks of 8,192 tokens in three of four layers (`attention_chunk_size`). */
const llama4 = {
  layers: 48,
  hiddenSize: 5120,
  attentionHeads: 40,
  keyValueHeads: 8,
  headSize: 128,
  vocabularySize: 202048,
  fullAttentionLayers: 12,
  slidingWindowTokens: 8192,
  source: CONFIG,
};

export const LLAMA: readonly CatalogueEntry[] = [
  {
    ids: ['meta-llama/Llama-2-7b-hf', 'meta-llama/Llama-2-7b-chat-hf'],
    parameters: 6738415616,
    layers: 32,
    hiddenSize: 4096,
    attentionHeads: 32,
    vocabularySize: 32000,
    contextTokens: 4096,
    source: CONFIG,
  },
  {
    ids: ['meta-llama/Llama-2-13b-hf', 'meta-llama/Llama-2-13b-chat-hf'],
    parameters: 13015864320,
    layers: 40,
    hiddenSize: 5120,
    attentionHeads: 40,
    vocabularySize: 32000,
    contextTokens: 4096,
    source: CONFIG,
  },
  {
    ids: ['meta-llama/Llama-2-70b-hf', 'meta-llama/Llama-2-70b-chat-hf'],
    parameters: 68976648192,
    layers: 80,
    hiddenSize: 8192,
    attentionHeads: 64,
    keyValueHeads: 8,
    vocabularySize: 32000,
    contextTokens: 4096,
    source: CONFIG,
  },
  { ids: ['meta-llama/Meta-Llama-3-8B', 'meta-llama/Meta-Llama-3-8B-Instruct'], ...shape8b, contextTokens: 8192 },
  { ids: ['meta-llama/Meta-Llama-3-70B', 'meta-llama/Meta-Llama-3-70B-Instruct'], ...shape70b, contextTokens: 8192 },
  {
    ids: [
      'meta-llama/Llama-3.1-8B',
      'meta-llama/Llama-3.1-8B-Instruct',
      'meta-llama/Meta-Llama-3.1-8B',
      'meta-llama/Meta-Llama-3.1-8B-Instruct',
      'deepseek-ai/DeepSeek-R1-Distill-Llama-8B',
    ],
    ...shape8b,
    contextTokens: 131072,
  },
  {
    ids: [
      'meta-llama/Llama-3.1-70B',
      'meta-llama/Llama-3.1-70B-Instruct',
      'meta-llama/Meta-Llama-3.1-70B',
      'meta-llama/Meta-Llama-3.1-70B-Instruct',
      'meta-llama/Llama-3.3-70B-Instruct',
      'nvidia/Llama-3.1-Nemotron-70B-Instruct-HF',
      'deepseek-ai/DeepSeek-R1-Distill-Llama-70B',
    ],
    ...shape70b,
    contextTokens: 131072,
  },
  {
    ids: [
      'meta-llama/Llama-3.1-405B',
      'meta-llama/Llama-3.1-405B-Instruct',
      'meta-llama/Meta-Llama-3.1-405B',
      'meta-llama/Meta-Llama-3.1-405B-Instruct',
    ],
    ...llama3,
    parameters: 405853388800,
    layers: 126,
    hiddenSize: 16384,
    attentionHeads: 128,
    keyValueHeads: 8,
    contextTokens: 131072,
  },
  { ids: ['meta-llama/Llama-3.2-1B', 'meta-llama/Llama-3.2-1B-Instruct'], ...shape1b, contextTokens: 131072 },
  { ids: ['meta-llama/Llama-3.2-3B', 'meta-llama/Llama-3.2-3B-Instruct'], ...shape3b, contextTokens: 131072 },
  {
    ids: ['meta-llama/Llama-4-Scout-17B-16E', 'meta-llama/Llama-4-Scout-17B-16E-Instruct'],
    ...llama4,
    parameters: 108641793536,
    expertParameters: 96636764160,
    contextTokens: 10485760,
  },
  {
    ids: ['meta-llama/Llama-4-Maverick-17B-128E', 'meta-llama/Llama-4-Maverick-17B-128E-Instruct'],
    ...llama4,
    parameters: 401583781376,
    expertParameters: 386547056640,
    contextTokens: 1048576,
  },
];
