/**
 * The figures of a model that decide how much memory it needs. All of them stand in its `config.json`, except the number of
 * parameters, which is the size of its weights.
 */
export interface ModelSpec {
  /** Hugging Face id, or any name. */
  readonly id: string;
  /** All parameters, of all experts, as a number (8.03e9, not 8). */
  readonly parameters: number;
  /** `num_hidden_layers`. */
  readonly layers: number;
  /** `hidden_size`. */
  readonly hiddenSize: number;
  /** `num_attention_heads`. */
  readonly attentionHeads: number;
  /** `num_key_value_heads`. @default - `attentionHeads` */
  readonly keyValueHeads?: number;
  /** `head_dim`. @default - `hiddenSize / attentionHeads` */
  readonly headSize?: number;
  /** `vocab_size`. */
  readonly vocabularySize: number;
  /** `max_position_embeddings`: the longest sequence in tokens. */
  readonly contextTokens: number;
  /** Average bits of a weight as published, for checkpoints that are quantized. @default 16 */
  readonly checkpointBits?: number;
  /** Parameters of the routed experts, which data-parallel ranks share out among themselves. @default 0 */
  readonly expertParameters?: number;
  /** Whether the output head is the embedding table (`tie_word_embeddings`). @default false */
  readonly tiedEmbeddings?: boolean;
  /** Layers that keep the KV cache of the whole sequence; the others keep `slidingWindowTokens`. @default - all layers */
  readonly fullAttentionLayers?: number;
  /** `sliding_window`, or the chunk of chunked attention. @default - none */
  readonly slidingWindowTokens?: number;
  /**
   * `kv_lora_rank + qk_rope_head_dim` of multi-head latent attention: elements per token and layer, on every GPU.
   * @default - no latent attention
   */
  readonly latentSize?: number;
  /** Where the figures come from. @default - not said */
  readonly source?: string;
}

/** A spec with every default filled in. */
export interface ResolvedModelSpec extends Required<Omit<ModelSpec, 'slidingWindowTokens' | 'latentSize' | 'source'>> {
  readonly slidingWindowTokens: number | undefined;
  readonly latentSize: number | undefined;
}

export function resolveModelSpec(spec: ModelSpec): ResolvedModelSpec {
  return {
    id: spec.id,
    parameters: spec.parameters,
    layers: spec.layers,
    hiddenSize: spec.hiddenSize,
    attentionHeads: spec.attentionHeads,
    keyValueHeads: spec.keyValueHeads ?? spec.attentionHeads,
    headSize: spec.headSize ?? Math.floor(spec.hiddenSize / spec.attentionHeads),
    vocabularySize: spec.vocabularySize,
    contextTokens: spec.contextTokens,
    checkpointBits: spec.checkpointBits ?? 16,
    expertParameters: spec.expertParameters ?? 0,
    tiedEmbeddings: spec.tiedEmbeddings ?? false,
    fullAttentionLayers: spec.fullAttentionLayers ?? spec.layers,
    slidingWindowTokens: spec.slidingWindowTokens,
    latentSize: spec.latentSize,
  };
}

/** Weights that stay 16 bit under quantization: the embedding table, and the output head unless it is the same table. */
export function embeddingParameters(spec: ResolvedModelSpec): number {
  return spec.vocabularySize * spec.hiddenSize * (spec.tiedEmbeddings ? 1 : 2);
}
