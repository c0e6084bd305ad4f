import { type CatalogueEntry, CONFIG } from './entry';

/** Multi-head latent attention keeps `kv_lora_rank` 512 + `qk_rope_head_dim` 64 elements per token and layer. */
const latent = { layers: 61, hiddenSize: 7168, latentSize: 576, checkpointBits: 8, source: CONFIG };

export const DEEPSEEK: readonly CatalogueEntry[] = [
  {
    // 671 B without the 14 B of the multi-token prediction layer, which is loaded only for speculative decoding
    ids: [
      'deepseek-ai/DeepSeek-V3',
      'deepseek-ai/DeepSeek-V3-0324',
      'deepseek-ai/DeepSeek-V3.1',
      'deepseek-ai/DeepSeek-R1',
      'deepseek-ai/DeepSeek-R1-0528',
    ],
    ...latent,
    parameters: 671026419200,
    expertParameters: 653908770816,
    attentionHeads: 128,
    vocabularySize: 129280,
    contextTokens: 163840,
  },
  {
    ids: ['moonshotai/Kimi-K2-Instruct'],
    ...latent,
    parameters: 1026408232448,
    expertParameters: 1014686023680,
    attentionHeads: 64,
    vocabularySize: 163840,
    contextTokens: 131072,
  },
  {
    ids: ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B'],
    parameters: 1777088000,
    layers: 28,
    hiddenSize: 1536,
    attentionHeads: 12,
    keyValueHeads: 2,
    headSize: 128,
    vocabularySize: 151936,
    contextTokens: 131072,
    source: CONFIG,
  },
];

const gemma2 = { vocabularySize: 256000, contextTokens: 8192, slidingWindowTokens: 4096, tiedEmbeddings: true, source: CONFIG };
const gemma3 = { vocabularySize: 262208, contextTokens: 131072, slidingWindowTokens: 1024, tiedEmbeddings: true, source: CONFIG };

/** Gemma 2 alternates local and global layers; Gemma 3 has one global layer in six, and a vision encoder from 4B on. */
export const GEMMA: readonly CatalogueEntry[] = [
  {
    ids: ['google/gemma-2-2b', 'google/gemma-2-2b-it'],
    ...gemma2,
    parameters: 2614341888,
    layers: 26,
    fullAttentionLayers: 13,
    hiddenSize: 2304,
    attentionHeads: 8,
    keyValueHeads: 4,
    headSize: 256,
  },
  {
    ids: ['google/gemma-2-9b', 'google/gemma-2-9b-it'],
    ...gemma2,
    parameters: 9241705984,
    layers: 42,
    fullAttentionLayers: 21,
    hiddenSize: 3584,
    attentionHeads: 16,
    keyValueHeads: 8,
    headSize: 256,
  },
  {
    ids: ['google/gemma-2-27b', 'google/gemma-2-27b-it'],
    ...gemma2,
    parameters: 27227128320,
    layers: 46,
    fullAttentionLayers: 23,
    hiddenSize: 4608,
    attentionHeads: 32,
    keyValueHeads: 16,
    headSize: 128,
  },
  {
    ids: ['google/gemma-3-1b-pt', 'google/gemma-3-1b-it'],
    ...gemma3,
    vocabularySize: 262144,
    contextTokens: 32768,
    slidingWindowTokens: 512,
    parameters: 999885952,
    layers: 26,
    fullAttentionLayers: 4,
    hiddenSize: 1152,
    attentionHeads: 4,
    keyValueHeads: 1,
    headSize: 256,
  },
  {
    ids: ['google/gemma-3-4b-pt', 'google/gemma-3-4b-it'],
    ...gemma3,
    parameters: 4300079472,
    layers: 34,
    fullAttentionLayers: 5,
    hiddenSize: 2560,
    attentionHeads: 8,
    keyValueHeads: 4,
    headSize: 256,
  },
  {
    ids: ['google/gemma-3-12b-pt', 'google/gemma-3-12b-it'],
    ...gemma3,
    parameters: 12187325040,
    layers: 48,
    fullAttentionLayers: 8,
    hiddenSize: 3840,
    attentionHeads: 16,
    keyValueHeads: 8,
    headSize: 256,
  },
  {
    ids: ['google/gemma-3-27b-pt', 'google/gemma-3-27b-it'],
    ...gemma3,
    parameters: 27432406640,
    layers: 62,
    fullAttentionLayers: 10,
    hiddenSize: 5376,
    attentionHeads: 32,
    keyValueHeads: 16,
    headSize: 128,
  },
];

const phi3mini = {
  parameters: 3821079552,
  layers: 32,
  hiddenSize: 3072,
  attentionHeads: 32,
  vocabularySize: 32064,
  source: CONFIG,
};

export const PHI: readonly CatalogueEntry[] = [
  { ids: ['microsoft/Phi-3-mini-4k-instruct'], ...phi3mini, contextTokens: 4096 },
  { ids: ['microsoft/Phi-3-mini-128k-instruct', 'microsoft/Phi-3.5-mini-instruct'], ...phi3mini, contextTokens: 131072 },
  {
    ids: ['microsoft/Phi-3-medium-128k-instruct'],
    parameters: 13960238080,
    layers: 40,
    hiddenSize: 5120,
    attentionHeads: 40,
    keyValueHeads: 10,
    vocabularySize: 32064,
    contextTokens: 131072,
    source: CONFIG,
  },
  {
    ids: ['microsoft/phi-4'],
    parameters: 14659507200,
    layers: 40,
    hiddenSize: 5120,
    attentionHeads: 40,
    keyValueHeads: 10,
    vocabularySize: 100352,
    contextTokens: 16384,
    source: CONFIG,
  },
  {
    ids: ['microsoft/Phi-4-reasoning', 'microsoft/Phi-4-reasoning-plus'],
    parameters: 14659507200,
    layers: 40,
    hiddenSize: 5120,
    attentionHeads: 40,
    keyValueHeads: 10,
    vocabularySize: 100352,
    contextTokens: 32768,
    source: CONFIG,
  },
  {
    ids: ['microsoft/Phi-4-mini-instruct'],
    parameters: 3836021760,
    layers: 32,
    hiddenSize: 3072,
    attentionHeads: 24,
    keyValueHeads: 8,
    headSize: 128,
    vocabularySize: 200064,
    contextTokens: 131072,
    tiedEmbeddings: true,
    source: CONFIG,
  },
];

/** Experts are MXFP4 (4.25 bits), attention and router 16 bit: 12.8 and 60.8 GiB of weights (model card, arXiv:2508.10925). */
const gptOss = {
  hiddenSize: 2880,
  attentionHeads: 64,
  keyValueHeads: 8,
  headSize: 64,
  vocabularySize: 201088,
  contextTokens: 131072,
  slidingWindowTokens: 128,
  source: CONFIG,
};

export const GPT_OSS: readonly CatalogueEntry[] = [
  {
    ids: ['openai/gpt-oss-20b'],
    ...gptOss,
    parameters: 20914757184,
    expertParameters: 19110297600,
    layers: 24,
    fullAttentionLayers: 12,
    checkpointBits: 4.6343,
  },
  {
    ids: ['openai/gpt-oss-120b'],
    ...gptOss,
    parameters: 116829156672,
    expertParameters: 114661785600,
    layers: 36,
    fullAttentionLayers: 18,
    checkpointBits: 4.3525,
  },
];
