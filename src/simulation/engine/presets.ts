import { defaultProfile, type EngineProfile } from './core/profile';

/** What an accelerator can do, as its vendor states it. */
export interface AcceleratorFigures {
  readonly name: string;
  /** Recognizes it in labels of nodes, as NVIDIA's feature discovery and clouds write them. */
  readonly pattern: RegExp;
  readonly memoryGib: number;
  /** GB (10^9 bytes) a second. */
  readonly bandwidthGb: number;
  /** Dense 16-bit TFLOPS (10^12 operations a second), without sparsity. */
  readonly tflops: number;
  readonly source: string;
}

const NVIDIA = (product: string): string => `NVIDIA ${product} data sheet; half of the TFLOPS that it states with sparsity`;
const AMD = (product: string): string => `AMD Instinct ${product} data sheet, peak bfloat16`;
const TPU = (page: string): string => `cloud.google.com/tpu/docs/${page}, per chip`;

/** The first whose pattern fits counts. */
export const ACCELERATOR_FIGURES: readonly AcceleratorFigures[] = [
  figures('GB200', /gb200/i, 184, 8000, 2500, NVIDIA('GB200 NVL72')),
  figures('B200', /b200/i, 178, 8000, 2250, NVIDIA('HGX B200')),
  figures('H200', /h200/i, 139.7, 4800, 989, NVIDIA('H200 SXM')),
  figures('H100', /h100/i, 79.1, 3350, 989, NVIDIA('H100 SXM')),
  figures('A100-80GB', /a100.*80|80gb.*a100/i, 79.1, 2039, 312, 'NVIDIA A100 80GB SXM data sheet'),
  figures('A100-40GB', /a100/i, 39.4, 1555, 312, 'NVIDIA A100 40GB data sheet'),
  figures('L40S', /l40s/i, 44.3, 864, 362, NVIDIA('L40S')),
  figures('A10G', /a10g/i, 22, 600, 70, NVIDIA('A10G')),
  figures('L4', /\bl4\b/i, 22, 300, 121, NVIDIA('L4')),
  figures('T4', /\bt4\b/i, 14.6, 320, 65, 'NVIDIA T4 data sheet, 16-bit floats'),
  figures('MI355X', /mi355x/i, 287.6, 8000, 2500, AMD('MI355X')),
  figures('MI325X', /mi325x/i, 255.7, 6000, 1307, AMD('MI325X')),
  figures('MI300X', /mi300x/i, 191.7, 5300, 1307, AMD('MI300X')),
  figures('v5p', /\bv5p\b/i, 95, 2765, 459, TPU('v5p')),
  figures('v6e', /\bv6e\b/i, 32, 1640, 918, TPU('v6e')),
  figures('v5e', /\bv5e\b|v5-?lite/i, 16, 819, 197, TPU('v5e')),
];

function figures(
  name: string,
  pattern: RegExp,
  memoryGib: number,
  bandwidthGb: number,
  tflops: number,
  source: string,
): AcceleratorFigures {
  return { name, pattern, memoryGib, bandwidthGb, tflops, source };
}

/** The model that an engine serves. */
export interface ModelShape {
  readonly parameters: number;
  readonly layers: number;
  /** Bits of a weight. @default 16 */
  readonly weightBits?: number;
  /** Bytes of the KV cache for one token. */
  readonly kvBytesPerToken: number;
}

/** Llama 3.1 8B: 32 layers, 8 KV heads of 128 elements, 16 bit (`config.json`). */
export const USUAL_MODEL: ModelShape = { parameters: 8.03e9, layers: 32, kvBytesPerToken: 131_072 };

// Constants of "trained-physics" of inference-sim (BLIS), which claims 7 to 9 % error, and 12 % in a wider study of its own: the share of the
// peak that prompts reach, and by how much reading weights and KV cache takes longer than the data sheet's bandwidth allows.
const PREFILL_EFFICIENCY = 0.45;
const WEIGHTS_SLOWDOWN = 1.4;
const KV_SLOWDOWN = 1.9;
const LAYER_MS = 0.032;
const STEP_MS = 0.126;
const SEQUENCE_MS = 0.004;
/** Tokens of a sequence whose KV cache a step reads, on average. */
const MEAN_CONTEXT_TOKENS = 1_000;
/** vLLM's default of `--gpu-memory-utilization`, less what activations and CUDA graphs take. */
const MEMORY_RATIO = 0.9;
const OVERHEAD_GIB = 2;
const BLOCK_TOKENS = 16;
const GIB = 2 ** 30;

/**
 * The profile of an engine on accelerators of a kind, by the roofline: a step that decodes reads all weights once, prompts are bound by
 * computing.
 *
 *     step     = 1.4 · weights / bandwidth + 32 µs · layers + 126 µs
 *     sequence = 1.9 · KV bytes · 1,000 tokens / bandwidth + 4 µs
 *     prompt   = 2 · parameters / (0.45 · FLOPS)  a token
 *     blocks   = (0.9 · memory − weights − 2 GiB a card) / (16 · KV bytes)
 *
 * Tensor parallel cards add up, which is kind to them: what they tell each other is left out.
 * @param accelerator a name of `ACCELERATOR_FIGURES`, whatever its case, or a node's label
 * @returns undefined for an accelerator that is not known, and where the model does not fit
 */
export function acceleratorProfile(
  accelerator: string,
  model: ModelShape = USUAL_MODEL,
  tensorParallel = 1,
): Partial<EngineProfile> | undefined {
  const found = acceleratorFigures(accelerator);
  if (found === undefined) return undefined;
  const bytesPerMs = found.bandwidthGb * 1e6 * tensorParallel;
  const weightBytes = (model.parameters * (model.weightBits ?? 16)) / 8;
  const kvBytes = (MEMORY_RATIO * found.memoryGib - OVERHEAD_GIB) * GIB * tensorParallel - weightBytes;
  const kvBlocks = Math.floor(kvBytes / (BLOCK_TOKENS * model.kvBytesPerToken));
  if (kvBlocks < 1) return undefined;
  return {
    blockTokens: BLOCK_TOKENS,
    kvBlocks,
    maxModelTokens: Math.min(defaultProfile.maxModelTokens, kvBlocks * BLOCK_TOKENS),
    stepOverheadMs: (WEIGHTS_SLOWDOWN * weightBytes) / bytesPerMs + LAYER_MS * model.layers + STEP_MS,
    decodeMsPerSequence: (KV_SLOWDOWN * model.kvBytesPerToken * MEAN_CONTEXT_TOKENS) / bytesPerMs + SEQUENCE_MS,
    prefillMsPerToken: (2 * model.parameters) / (PREFILL_EFFICIENCY * found.tflops * 1e9 * tensorParallel),
  };
}

export function acceleratorFigures(name: string): AcceleratorFigures | undefined {
  const wanted = name.toLowerCase();
  return (
    ACCELERATOR_FIGURES.find((entry) => entry.name.toLowerCase() === wanted) ??
    ACCELERATOR_FIGURES.find(({ pattern }) => pattern.test(name))
  );
}
