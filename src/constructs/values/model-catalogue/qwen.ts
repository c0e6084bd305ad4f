import { type CatalogueEntry, CONFIG } from './entry';

const qwen25 = { vocabularySize: 152064, headSize: 128, source: CONFIG };
const small = { ...qwen25, vocabularySize: 151936, tiedEmbeddings: true };
const shape7b = { ...qwen25, parameters: 7615616512, layers: 28, hiddenSize: 3584, attentionHeads: 28, keyValueHeads: 4 };
const shape14b = { ...qwen25, parameters: 14770033664, layers: 48, hiddenSize: 5120, attentionHeads: 40, keyValueHeads: 8 };
const shape32b = { ...qwen25, parameters: 32763876352, layers: 64, hiddenSize: 5120, attentionHeads: 40, keyValueHeads: 8 };
const shape72b = { ...qwen25, parameters: 72706203648, layers: 80, hiddenSize: 8192, attentionHeads: 64, keyValueHeads: 8 };

const qwen3 = { vocabularySize: 151936, headSize: 128, contextTokens: 40960, source: CONFIG };
const shape4b = {
  ...qwen3,
  parameters: 4022468096,
  layers: 36,
  hiddenSize: 2560,
  attentionHeads: 32,
  keyValueHeads: 8,
  tiedEmbeddings: true,
};
const moe30b = {
  ...qwen3,
  parameters: 30532122624,
  expertParameters: 28991029248,
  layers: 48,
  hiddenSize: 2048,
  attentionHeads: 32,
  keyValueHeads: 4,
};
const moe235b = {
  ...qwen3,
  parameters: 235093634560,
  expertParameters: 227096395776,
  layers: 94,
  hiddenSize: 4096,
  attentionHeads: 64,
  keyValueHeads: 4,
};

/** Qwen2.5 instruct models state 32,768 tokens; longer contexts need YaRN, which has to be asked for. */
export const QWEN: readonly CatalogueEntry[] = [
  {
    ids: ['Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B-Instruct'],
    ...small,
    parameters: 494032768,
    layers: 24,
    hiddenSize: 896,
    headSize: 64,
    attentionHeads: 14,
    keyValueHeads: 2,
    contextTokens: 32768,
  },
  {
    ids: ['Qwen/Qwen2.5-1.5B-Instruct', 'Qwen/Qwen2.5-Coder-1.5B-Instruct'],
    ...small,
    parameters: 1543714304,
    layers: 28,
    hiddenSize: 1536,
    attentionHeads: 12,
    keyValueHeads: 2,
    contextTokens: 32768,
  },
  {
    ids: ['Qwen/Qwen2.5-3B', 'Qwen/Qwen2.5-3B-Instruct', 'Qwen/Qwen2.5-Coder-3B-Instruct'],
    ...small,
    parameters: 3085938688,
    layers: 36,
    hiddenSize: 2048,
    attentionHeads: 16,
    keyValueHeads: 2,
    contextTokens: 32768,
  },
  { ids: ['Qwen/Qwen2.5-7B'], ...shape7b, contextTokens: 131072 },
  { ids: ['Qwen/Qwen2.5-7B-Instruct', 'Qwen/Qwen2.5-Coder-7B-Instruct'], ...shape7b, contextTokens: 32768 },
  { ids: ['deepseek-ai/DeepSeek-R1-Distill-Qwen-7B'], ...shape7b, contextTokens: 131072 },
  { ids: ['Qwen/Qwen2.5-14B', 'deepseek-ai/DeepSeek-R1-Distill-Qwen-14B'], ...shape14b, contextTokens: 131072 },
  { ids: ['Qwen/Qwen2.5-14B-Instruct', 'Qwen/Qwen2.5-Coder-14B-Instruct'], ...shape14b, contextTokens: 32768 },
  { ids: ['Qwen/Qwen2.5-32B', 'deepseek-ai/DeepSeek-R1-Distill-Qwen-32B'], ...shape32b, contextTokens: 131072 },
  { ids: ['Qwen/Qwen2.5-32B-Instruct', 'Qwen/Qwen2.5-Coder-32B-Instruct'], ...shape32b, contextTokens: 32768 },
  { ids: ['Qwen/QwQ-32B'], ...shape32b, contextTokens: 40960 },
  { ids: ['Qwen/Qwen2.5-72B'], ...shape72b, contextTokens: 131072 },
  { ids: ['Qwen/Qwen2.5-72B-Instruct'], ...shape72b, contextTokens: 32768 },
  {
    ids: ['Qwen/Qwen3-0.6B'],
    ...qwen3,
    parameters: 596049920,
    layers: 28,
    hiddenSize: 1024,
    attentionHeads: 16,
    keyValueHeads: 8,
    tiedEmbeddings: true,
  },
  {
    ids: ['Qwen/Qwen3-1.7B'],
    ...qwen3,
    parameters: 1720574976,
    layers: 28,
    hiddenSize: 2048,
    attentionHeads: 16,
    keyValueHeads: 8,
    tiedEmbeddings: true,
  },
  { ids: ['Qwen/Qwen3-4B'], ...shape4b },
  { ids: ['Qwen/Qwen3-4B-Instruct-2507', 'Qwen/Qwen3-4B-Thinking-2507'], ...shape4b, contextTokens: 262144 },
  {
    ids: ['Qwen/Qwen3-8B'],
    ...qwen3,
    parameters: 8190735360,
    layers: 36,
    hiddenSize: 4096,
    attentionHeads: 32,
    keyValueHeads: 8,
  },
  {
    ids: ['Qwen/Qwen3-14B'],
    ...qwen3,
    parameters: 14768307200,
    layers: 40,
    hiddenSize: 5120,
    attentionHeads: 40,
    keyValueHeads: 8,
  },
  {
    ids: ['Qwen/Qwen3-32B'],
    ...qwen3,
    parameters: 32762123264,
    layers: 64,
    hiddenSize: 5120,
    attentionHeads: 64,
    keyValueHeads: 8,
  },
  { ids: ['Qwen/Qwen3-30B-A3B'], ...moe30b },
  {
    ids: ['Qwen/Qwen3-30B-A3B-Instruct-2507', 'Qwen/Qwen3-30B-A3B-Thinking-2507', 'Qwen/Qwen3-Coder-30B-A3B-Instruct'],
    ...moe30b,
    contextTokens: 262144,
  },
  { ids: ['Qwen/Qwen3-235B-A22B'], ...moe235b },
  { ids: ['Qwen/Qwen3-235B-A22B-Instruct-2507', 'Qwen/Qwen3-235B-A22B-Thinking-2507'], ...moe235b, contextTokens: 262144 },
  {
    ids: ['Qwen/Qwen3-Coder-480B-A35B-Instruct'],
    ...qwen3,
    parameters: 480154875392,
    expertParameters: 468084326400,
    layers: 62,
    hiddenSize: 6144,
    attentionHeads: 96,
    keyValueHeads: 8,
    contextTokens: 262144,
  },
];
