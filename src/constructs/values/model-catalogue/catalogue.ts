import { refuse } from '../../internal/errors';
import type { CatalogueEntry } from './entry';
import { LLAMA } from './llama';
import { MISTRAL } from './mistral';
import type { ModelSpec } from './model-spec';
import { DEEPSEEK, GEMMA, GPT_OSS, PHI } from './others';
import { QWEN } from './qwen';

/** Bits per weight of repositories that carry a quantized copy of a model in the same organisation, by how their names end. */
const QUANTIZED_SUFFIXES: readonly (readonly [RegExp, number])[] = [
  [/-FP8$/i, 8],
  [/-GPTQ-Int8$/i, 8 + 20 / 128],
  [/-(AWQ|GPTQ-Int4)$/i, 4 + 20 / 128],
];

const specs = new Map<string, ModelSpec>();
for (const entry of [...LLAMA, ...QWEN, ...MISTRAL, ...DEEPSEEK, ...GEMMA, ...PHI, ...GPT_OSS]) {
  for (const id of entry.ids) specs.set(id.toLowerCase(), specOf(entry, id));
}

function specOf(entry: CatalogueEntry, id: string): ModelSpec {
  const { ids: _ids, ...figures } = entry;
  return { id, ...figures };
}

/** The models whose memory the library can compute. */
export class ModelCatalogue {
  /**
   * Figures of the Hugging Face model `id`, whatever its case; undefined for one that is not known. A quantized copy, such as
   * `Qwen/Qwen3-32B-FP8`, is found by the name of the original.
   */
  public static find(id: string): ModelSpec | undefined {
    const known = specs.get(id.toLowerCase());
    if (known !== undefined) return known;
    for (const [suffix, bits] of QUANTIZED_SUFFIXES) {
      const original = suffix.test(id) ? specs.get(id.replace(suffix, '').toLowerCase()) : undefined;
      if (original !== undefined) return { ...original, id, checkpointBits: Math.min(bits, original.checkpointBits ?? 16) };
    }
    return undefined;
  }

  /**
   * Makes `spec` known to every backend that is constructed afterwards.
   * @throws AIG427 when the figures contradict each other
   */
  public static add(spec: ModelSpec): void {
    checkModelSpec(spec);
    specs.set(spec.id.toLowerCase(), spec);
  }

  /** Ids of all models, sorted. */
  public static ids(): string[] {
    return [...specs.values()].map((spec) => spec.id).sort();
  }

  private constructor() {}
}

/** Refuses a spec that no model can have. */
export function checkModelSpec(spec: ModelSpec): void {
  const problem = contradiction(spec);
  if (problem !== undefined) {
    refuse(undefined, {
      code: 'AIG427',
      what: `the figures of model '${spec.id}' contradict each other: ${problem}`,
      fix: "copy them from the model's config.json; parameters is a number such as 8.03e9",
    });
  }
}

function contradiction(spec: ModelSpec): string | undefined {
  for (const name of ['layers', 'hiddenSize', 'attentionHeads', 'vocabularySize', 'contextTokens'] as const) {
    if (!Number.isInteger(spec[name]) || spec[name] < 1) return `${name} must be a positive whole number`;
  }
  const embeddings = spec.vocabularySize * spec.hiddenSize;
  if (!(spec.parameters >= embeddings)) return `parameters is less than the ${embeddings} of the embedding table alone`;
  const keyValueHeads = spec.keyValueHeads ?? spec.attentionHeads;
  if (!Number.isInteger(keyValueHeads) || keyValueHeads < 1 || spec.attentionHeads % keyValueHeads !== 0) {
    return 'keyValueHeads must divide attentionHeads';
  }
  const bits = spec.checkpointBits ?? 16;
  if (!(bits >= 1 && bits <= 32)) return 'checkpointBits must be between 1 and 32';
  const experts = spec.expertParameters ?? 0;
  if (!(experts >= 0 && experts < spec.parameters)) return 'expertParameters must be less than parameters';
  const full = spec.fullAttentionLayers ?? spec.layers;
  if (!Number.isInteger(full) || full < 0 || full > spec.layers) return 'fullAttentionLayers must be between 0 and layers';
  if (full < spec.layers && !(spec.slidingWindowTokens !== undefined && spec.slidingWindowTokens > 0)) {
    return 'slidingWindowTokens is needed when not all layers have full attention';
  }
  return undefined;
}
