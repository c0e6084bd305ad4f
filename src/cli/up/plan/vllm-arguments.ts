import type { EngineProfile } from '../../../simulation/engine/core/profile';
import type { Container } from './kube-objects';

/** What the command line of an engine says, as far as a simulated one can follow it. */
export interface EngineArguments {
  /** Names it answers to; empty when the command line names no model. */
  readonly models: readonly string[];
  /** The model itself, as a Hugging Face id or a path; undefined when the command line names none. */
  readonly model: string | undefined;
  readonly tensorParallel: number;
  /** LoRA adapter to path. */
  readonly adapters: Readonly<Record<string, string>>;
  /** Undefined when the command line names none. */
  readonly port: number | undefined;
  readonly profile: Partial<EngineProfile>;
}

/** The container that runs the engine: the one that names a model, else the first. */
export function engineContainer(containers: readonly Container[]): Container | undefined {
  return containers.find((container) => engineArguments(container).models.length > 0) ?? containers[0];
}

/** Reads vLLM's command line (`vllm serve MODEL --flag value …`, or the older `python -m vllm.entrypoints… --model MODEL`). */
export function engineArguments({ command = [], args = [] }: Container): EngineArguments {
  const words = [...command, ...args].flatMap((word) => (/\s--|vllm serve /.test(word) ? word.split(/\s+/) : [word]));
  const flags = new Map<string, string[]>();
  const positional: string[] = [];
  let values = positional;
  for (const word of words) {
    if (!word.startsWith('--')) {
      values.push(word);
      continue;
    }
    const [, name, attached] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    values = attached === undefined ? [] : [attached];
    flags.set((name ?? '').replaceAll('_', '-'), values);
  }
  const one = (name: string): string | undefined => flags.get(name)?.[0];
  const model = one('model') ?? modelArgument(positional);
  const served = flags.get('served-model-name') ?? [];
  return {
    models: served.length > 0 ? served : model === undefined ? [] : [model],
    model,
    tensorParallel: wholeNumber(one('tensor-parallel-size')) ?? 1,
    adapters: Object.fromEntries((flags.get('lora-modules') ?? []).map(adapter).filter((entry) => entry !== undefined)),
    port: wholeNumber(one('port')),
    profile: profileOf(one),
  };
}

/** `vllm serve MODEL`; with the image's own entry point the arguments begin with the model. */
function modelArgument(positional: readonly string[]): string | undefined {
  const serve = positional.indexOf('serve');
  if (serve !== -1) return positional[serve + 1];
  const [first] = positional;
  return first !== undefined && /^[\w.-]+\/[\w.-]+$/.test(first) ? first : undefined;
}

/** `name=path`, or JSON with both. */
function adapter(text: string): [string, string] | undefined {
  if (!text.startsWith('{')) {
    const at = text.indexOf('=');
    return at < 1 ? undefined : [text.slice(0, at), text.slice(at + 1)];
  }
  try {
    const { name, path } = JSON.parse(text) as { name?: unknown; path?: unknown };
    return typeof name === 'string' ? [name, String(path)] : undefined;
  } catch {
    return undefined;
  }
}

function profileOf(one: (name: string) => string | undefined): Partial<EngineProfile> {
  const maxModelTokens = wholeNumber(one('max-model-len'));
  const fields: Partial<Record<keyof EngineProfile, number | undefined>> = {
    maxRunningSequences: wholeNumber(one('max-num-seqs')),
    maxBatchedTokens: wholeNumber(one('max-num-batched-tokens')),
    maxAdapters: wholeNumber(one('max-loras')),
    maxModelTokens,
    // one sequence of the greatest length must fit, as vLLM demands
    kvBlocks: maxModelTokens === undefined ? undefined : Math.max(8192, Math.ceil(maxModelTokens / 16)),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value > 0));
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
