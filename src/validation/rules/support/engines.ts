import type { Field, ObjectIndex } from '../../object-index';
import { quantity } from './quantities';
import { backendRefs, isPool, poolPicker, poolSelector, pools } from './routes';
import { selectedWorkloads, type Workload, workloads } from './workloads';

export type EngineType = 'vllm' | 'sglang' | 'trtllm-serve' | 'triton' | 'tgi';

/** A container that serves a model. */
export interface Engine {
  readonly type: EngineType;
  readonly workload: Workload;
  readonly container: Field;
  /** Everything after the program's name, flags as `--name`, whether joined by `=` or not. */
  readonly flags: ReadonlyMap<string, { readonly values: readonly string[]; readonly field: Field }>;
  /** What is served, where the command line says it: a repository or a path. */
  readonly model: { readonly id: string; readonly field: Field } | undefined;
}

const IMAGES: readonly (readonly [RegExp, EngineType])[] = [
  [/(^|\/)(vllm-openai|llm-d-cuda|llm-d)(-[a-z0-9]+)?([:@]|$)|(^|\/)vllm\/vllm-|(^|\/)vllm(-tpu)?([:@]|$)/, 'vllm'],
  [/(^|\/)sglang([:@]|$)/, 'sglang'],
  [/(^|\/)tensorrt-llm\/release([:@]|$)/, 'trtllm-serve'],
  [/(^|\/)tritonserver([:@]|$)/, 'triton'],
  [/(^|\/)text-generation-inference([:@]|$)/, 'tgi'],
];

export function engines(index: ObjectIndex): readonly Engine[] {
  return index.memo(findEngines);
}

function findEngines(index: ObjectIndex): Engine[] {
  return workloads(index).flatMap((workload) =>
    workload.podSpec.at('containers').items.flatMap((container): Engine[] => {
      const words = wordsOf(container);
      const type = engineType(container, words);
      if (type === undefined) return [];
      const flags = parseFlags(words);
      return [{ type, workload, container, flags, model: modelOf(type, words, flags) }];
    }),
  );
}

interface Word {
  readonly text: string;
  readonly field: Field;
}

function wordsOf(container: Field): Word[] {
  const words = [...container.at('command').items, ...container.at('args').items].flatMap((field) =>
    field.text === undefined ? [] : [{ text: field.text, field }],
  );
  // A script given to a shell: its words, without what only a shell could tell.
  if (!/(^|\/)(ba|da|z|)sh$/.test(words[0]?.text ?? '')) return words;
  const script = words.find(({ text }) => /\b(vllm|sglang|trtllm)/.test(text));
  if (script === undefined) return [];
  const line =
    script.text
      .replace(/\\\n/g, ' ')
      .split('\n')
      .find((text) => /\b(vllm|sglang|trtllm)/.test(text)) ?? '';
  return (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((text) => ({
    text: text.replace(/^(["'])(.*)\1$/, '$2'),
    field: script.field,
  }));
}

function engineType(container: Field, words: readonly Word[]): EngineType | undefined {
  const program = words.slice(0, 4).map(({ text }) => text);
  if (program.some((text) => /(^|\/)vllm$/.test(text)) || program.includes('vllm.entrypoints.openai.api_server')) return 'vllm';
  if (program.includes('sglang.launch_server')) return 'sglang';
  if (program.includes('trtllm-serve')) return 'trtllm-serve';
  // An image with another command is something else: a downloader, a benchmark, a shell.
  if (container.at('command').isSet) return undefined;
  const image = container.at('image').text ?? '';
  return IMAGES.find(([pattern]) => pattern.test(image))?.[1];
}

const SHORT: Readonly<Record<string, string>> = {
  '-tp': '--tensor-parallel-size',
  '-pp': '--pipeline-parallel-size',
  '-dp': '--data-parallel-size',
  '-q': '--quantization',
  '--tp': '--tensor-parallel-size',
  '--tp-size': '--tensor-parallel-size',
  '--pp': '--pipeline-parallel-size',
  '--pp-size': '--pipeline-parallel-size',
  '--dp': '--data-parallel-size',
  '--dp-size': '--data-parallel-size',
  '--model-path': '--model',
};

function parseFlags(words: readonly Word[]): Engine['flags'] {
  const flags = new Map<string, { values: string[]; field: Field }>();
  let current: { values: string[]; field: Field } | undefined;
  for (const { text, field } of words) {
    if (!/^--?[a-z]/i.test(text)) {
      current?.values.push(text);
      continue;
    }
    const equals = text.indexOf('=');
    const given = (equals === -1 ? text : text.slice(0, equals)).replaceAll('_', '-');
    const name = SHORT[given] ?? given;
    current = { values: equals === -1 ? [] : [text.slice(equals + 1)], field };
    flags.set(name, current);
    if (equals !== -1) current = undefined;
  }
  return flags;
}

function modelOf(type: EngineType, words: readonly Word[], flags: Engine['flags']): Engine['model'] {
  const flag = flags.get('--model');
  if (flag?.values[0] !== undefined) return { id: flag.values[0], field: flag.field };
  const serve = words.findIndex(({ text }) => text === 'serve' || text === 'trtllm-serve');
  // The image's own command is `vllm serve`.
  const next = words[serve === -1 ? 0 : serve + 1];
  if (next === undefined || next.text.startsWith('-') || (serve === -1 && type !== 'vllm')) return undefined;
  return serve === -1 && words[0]?.field.path.includes('command') ? undefined : { id: next.text, field: next.field };
}

/** A number given to a flag; undefined when it is not given, or by a variable. */
export function flagNumber(engine: Engine, name: string): number | undefined {
  const text = engine.flags.get(name)?.values[0];
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Names that clients may ask an engine for; undefined where the command line does not say. */
export function servedNames(engine: Engine): readonly string[] | undefined {
  const served = engine.flags.get('--served-model-name')?.values;
  if (served !== undefined && served.length > 0) return served.some((name) => name.includes('$')) ? undefined : served;
  const id = engine.model?.id;
  if (id === undefined || id.includes('$')) return undefined;
  return [id];
}

/** Names of LoRA adapters on the command line; undefined if adapters can be loaded at any time. */
export function adapterNames(engine: Engine): readonly string[] | undefined {
  const dynamic = engine.container
    .at('env')
    .items.some((variable) => variable.at('name').text === 'VLLM_ALLOW_RUNTIME_LORA_UPDATING');
  if (dynamic) return undefined;
  return (engine.flags.get('--lora-modules')?.values ?? []).map((text) => {
    const name = /"name"\s*:\s*"([^"]*)"/.exec(text)?.[1];
    return name ?? text.split('=')[0]!;
  });
}

const ACCELERATOR =
  /^(nvidia\.com\/(gpu|mig-.*)|amd\.com\/gpu|google\.com\/tpu|habana\.ai\/gaudi|aws\.amazon\.com\/neuron|gpu\.intel\.com\/.*)$/;

/** Accelerators of a container by resource name; `claimed` when they come by resource claims, which do not say how many. */
export function accelerators(container: Field): { readonly count: number; readonly field: Field } | 'claimed' | undefined {
  if (container.at('resources', 'claims').items.length > 0) return 'claimed';
  for (const section of ['limits', 'requests']) {
    for (const [key, field] of container.at('resources', section).entries) {
      const count = quantity(field.value);
      if (ACCELERATOR.test(key) && count !== undefined) return { count, field };
    }
  }
  return undefined;
}

/** The engines behind a backend of a route: a pool's, a Service's. Empty where the input does not have them. */
export function enginesBehind(index: ObjectIndex, reference: ReturnType<typeof backendRefs>[number]): Engine[] {
  const { group, kind, namespace, name } = reference;
  const pool = isPool(reference) ? index.find(group, kind, namespace, name) : undefined;
  const service = group === '' && kind === 'Service' ? index.find('', 'Service', namespace, name) : undefined;
  const selector = pool !== undefined ? poolSelector(pool) : service?.at('spec', 'selector');
  if (selector === undefined) return [];
  const selected = selectedWorkloads(index, namespace, selector.labels);
  return engines(index).filter(({ workload }) => selected.includes(workload));
}

/** True if requests of this rule go to models: to a pool, to engines, or to a proxy that has a pool's picker beside it. */
export function isModelRule(index: ObjectIndex, rule: Field): boolean {
  return backendRefs(rule).some(
    (reference) =>
      isPool(reference) ||
      enginesBehind(index, reference).length > 0 ||
      pools(index).some(
        (pool) =>
          reference.kind === 'Service' &&
          pool.namespace === reference.namespace &&
          poolPicker(pool).ref.at('name').text === reference.name,
      ),
  );
}
