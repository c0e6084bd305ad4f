import type { Engine } from './engines';

/** What is known of a model's weights from its name alone. */
export interface ModelSize {
  /** A number of parameters that the model has at least. */
  readonly parameters: number;
  /** Bits of a weight, at least. */
  readonly bits: number;
}

/**
 * Size by name, as publishers write it: `Llama-3.1-70B`, `Mixtral-8x7B`, `-FP8`, `-AWQ`. Always a lower bound: 10 % is taken off, since
 * names are rounded; undefined for names that say nothing, and for engines that are told another quantization than is understood here.
 */
export function modelSize(engine: Engine): ModelSize | undefined {
  const id = engine.model?.id ?? '';
  const name = id.slice(id.lastIndexOf('/') + 1);
  if (name.includes('$')) return undefined;
  const match = /(?:^|[-_.])(?:(\d+)x)?(\d+(?:\.\d+)?)B(?=$|[-_.])/i.exec(name);
  if (match === null) return undefined;
  const [, experts, billions] = match;
  // Experts share attention and embeddings: 8x7B has 47e9 parameters, not 56e9.
  const parameters = Number(billions) * 1e9 * (experts === undefined ? 0.9 : Number(experts) * 0.75);
  const quantization = engine.flags.get('--quantization')?.values[0]?.toLowerCase() ?? '';
  const words = `${name} ${quantization}`.toLowerCase();
  const bits = bitsOf(words);
  return bits === undefined ? undefined : { parameters, bits };
}

function bitsOf(words: string): number | undefined {
  if (/nvfp4|mxfp4|fp4|awq|int4|w4a16|4bit|bnb|bitsandbytes|q4|gptq-int4/.test(words)) return 4;
  if (/gptq|gguf|quant|marlin|squeeze/.test(words)) return /int8|8bit/.test(words) ? 8 : 4;
  if (/fp8|int8|w8a8|8bit/.test(words)) return 8;
  if (/\bq[0-9]|int3|2bit|1\.58/.test(words)) return undefined;
  return 16;
}

export function weightBytes({ parameters, bits }: ModelSize): number {
  return (parameters * bits) / 8;
}
