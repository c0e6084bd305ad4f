import type { Problem } from '../../shared/problem';
import { ModelCatalogue } from '../values/model-catalogue/catalogue';
import { type ResolvedModelSpec, resolveModelSpec } from '../values/model-catalogue/model-spec';
import { CapacityCheck, type VllmBackendProps } from '../vllm-backend-props';
import { maxLoraRank, maxLoras } from './arguments';
import { capacityProblem } from './capacity';
import { propertyProblems } from './checks';
import { type EngineShape, GIB, weightBytes } from './memory';
import { type Parallelism, parallelismProblems, resolveParallelism } from './parallelism';

export const DEFAULT_UTILIZATION_RATIO = 0.9;
/** Sizes are reckoned with this where neither the model nor the accelerator's memory is known. */
const UNKNOWN_MEMORY_GIB = 80;

/** What follows from the properties alone. */
export interface BackendPlan {
  readonly split: Parallelism;
  /** Bytes of one copy of the weights; where they are unknown, the most that the accelerators hold. */
  readonly weightBytes: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export function planBackend(props: VllmBackendProps): BackendPlan {
  const { accelerator } = props;
  const spec = modelSpec(props);
  const split = resolveParallelism({ gpus: accelerator.count, ...props });
  const problems = [...parallelismProblems(split, accelerator.count, spec), ...propertyProblems(props, split, spec)];
  const warnings = gatedWarnings(props);

  const check = props.capacityCheck ?? CapacityCheck.ENFORCE;
  if (check !== CapacityCheck.OFF) {
    if (spec === undefined) {
      warnings.push(
        `whether ${props.model.modelId ?? 'the model'} fits ${accelerator.count} x ${accelerator.name} is not known: give modelSpec, ` +
          'or ModelCatalogue.add() it; times and sizes are reckoned with weights that fill the accelerators',
      );
    } else if (accelerator.memoryGib === undefined) {
      warnings.push(
        `whether ${spec.id} fits ${accelerator.count} x ${accelerator.name} is not known: give the accelerator's memoryGib`,
      );
    } else if (problems.length === 0) {
      // arithmetic on values that were refused would only confuse
      const problem = capacityProblem(engineShape(props, spec, split, accelerator.memoryGib), accelerator);
      if (problem !== undefined && check === CapacityCheck.ENFORCE) problems.push(problem);
      if (problem !== undefined && check === CapacityCheck.WARN) warnings.push(`${problem.what}: ${problem.fix}`);
    }
  }

  const held = (accelerator.memoryGib ?? UNKNOWN_MEMORY_GIB) * utilization(props) * split.tensor * split.pipeline * GIB;
  return {
    split,
    weightBytes: spec === undefined ? held : weightBytes(spec, weightBits(props, spec)),
    problems,
    warnings,
  };
}

/** Meta's and Google's repositories answer 401 to whoever has not accepted their licence. */
function gatedWarnings(props: VllmBackendProps): string[] {
  const { modelId, _bound } = props.model;
  const isGated = _bound.downloads && modelId !== undefined && /^(meta-llama\/|google\/gemma-)/i.test(modelId);
  const hasToken = _bound.env.some(({ name }) => name === 'HF_TOKEN') || props.envSecrets?.['HF_TOKEN'] !== undefined;
  if (!isGated || hasToken) return [];
  return [`${modelId} is a gated repository: pass ModelSource.huggingFace(id, { token }) with a token that has access to it`];
}

function modelSpec(props: VllmBackendProps): ResolvedModelSpec | undefined {
  const { modelId } = props.model;
  const spec = props.modelSpec ?? (modelId === undefined ? undefined : ModelCatalogue.find(modelId));
  return spec === undefined ? undefined : resolveModelSpec(spec);
}

function engineShape(props: VllmBackendProps, spec: ResolvedModelSpec, split: Parallelism, gpuMemoryGib: number): EngineShape {
  const hasAdapters = (props.adapters ?? []).length > 0;
  return {
    spec,
    split,
    gpuName: props.accelerator.name,
    gpuMemoryGib,
    utilizationRatio: utilization(props),
    maxModelLengthTokens: props.maxModelLengthTokens ?? spec.contextTokens,
    weightBits: weightBits(props, spec),
    kvBytesPerElement: props.kvCacheDtype?.bytesPerElement ?? 2,
    maxSequences: props.maxSequences,
    maxBatchedTokens: props.maxBatchedTokens,
    loras: hasAdapters ? maxLoras(props) : 0,
    loraRank: maxLoraRank(props),
  };
}

function utilization(props: VllmBackendProps): number {
  return props.gpuMemoryUtilizationRatio ?? DEFAULT_UTILIZATION_RATIO;
}

/** A checkpoint that is quantized stays so; quantization while loading can only make it smaller. */
function weightBits(props: VllmBackendProps, spec: ResolvedModelSpec): number {
  return Math.min(spec.checkpointBits, props.quantization?.bitsPerParameter ?? 16);
}
