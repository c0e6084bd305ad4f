import type { Problem } from '../../shared/problem';
import type { ResolvedModelSpec } from '../values/model-catalogue/model-spec';

/** How one replica splits a model over its GPUs: `tensor * pipeline * data` GPUs. */
export interface Parallelism {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
}

/** What the user asked for; whatever is missing is filled in. */
export interface ParallelismInput {
  readonly gpus: number;
  readonly tensorParallel?: number;
  readonly pipelineParallel?: number;
  readonly dataParallel?: number;
}

export function resolveParallelism(input: ParallelismInput): Parallelism {
  const pipeline = input.pipelineParallel ?? 1;
  const data = input.dataParallel ?? 1;
  return { tensor: input.tensorParallel ?? Math.max(1, Math.floor(input.gpus / (pipeline * data))), pipeline, data };
}

/** Checks that every GPU is used and that the model's heads can be shared out. */
export function parallelismProblems(split: Parallelism, gpus: number, spec: ResolvedModelSpec | undefined): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of [
    ['tensorParallel', split.tensor],
    ['pipelineParallel', split.pipeline],
    ['dataParallel', split.data],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      problems.push({
        code: 'AIG411',
        what: `${name} is no whole number of GPUs`,
        value,
        allowed: '1 or more',
        fix: `correct ${name}`,
      });
    }
  }
  if (problems.length > 0) return problems;

  const used = split.tensor * split.pipeline * split.data;
  if (used !== gpus) {
    problems.push({
      code: 'AIG411',
      what: 'tensorParallel x pipelineParallel x dataParallel must be the number of accelerators',
      value: `${split.tensor} x ${split.pipeline} x ${split.data} = ${used}`,
      allowed: `${gpus}`,
      fix:
        used < gpus
          ? 'GPUs would be paid for and stand idle: set count to what is used'
          : `set the accelerator's count to ${used}`,
    });
  }
  if (spec === undefined) return problems;

  const headProblem = headsProblem(split.tensor, spec);
  if (headProblem !== undefined) problems.push(headProblem);
  if (split.pipeline > spec.layers) {
    problems.push({
      code: 'AIG411',
      what: 'more pipeline stages than layers',
      value: split.pipeline,
      allowed: `1 to ${spec.layers}`,
      fix: 'lower pipelineParallel',
    });
  }
  return problems;
}

/**
 * vLLM 0.30: `ModelConfig.verify_with_parallel_config` wants attention heads divisible by the tensor parallel size; its attention
 * layers want KV heads divisible by it, or it divisible by the KV heads, which are then repeated.
 */
function headsProblem(tensor: number, spec: ResolvedModelSpec): Problem | undefined {
  if (tensorParallelFits(tensor, spec)) return undefined;
  const allowed = [1, 2, 3, 4, 5, 6, 7, 8, 16].filter((size) => tensorParallelFits(size, spec));
  const kv = spec.latentSize === undefined ? ` and ${spec.keyValueHeads} KV heads` : '';
  return {
    code: 'AIG412',
    what: `${spec.id} has ${spec.attentionHeads} attention heads${kv}, which tensorParallel cannot share out`,
    value: tensor,
    allowed: allowed.join(', '),
    fix: 'use one of these, and pipelineParallel or dataParallel for the rest of the GPUs',
  };
}

export function tensorParallelFits(tensor: number, spec: ResolvedModelSpec): boolean {
  if (spec.attentionHeads % tensor !== 0) return false;
  if (spec.latentSize !== undefined) return true;
  return spec.keyValueHeads % tensor === 0 || tensor % spec.keyValueHeads === 0;
}
