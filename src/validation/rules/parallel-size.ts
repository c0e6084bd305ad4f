import { finding, type Rule, type RuleFinding } from './rule';
import { accelerators, type Engine, engines, flagNumber } from './support/engines';

/** vLLM starts one worker per rank and needs a GPU for each; more GPUs than ranks lie idle, and are paid for. */
export const parallelSize: Rule = {
  code: 'AIG203',
  name: 'parallel-size',
  title: 'An engine has as many accelerators as its parallelism asks for',
  severity: 'error',
  check: (index) => engines(index).flatMap(check),
};

function check(engine: Engine): RuleFinding[] {
  if (engine.type !== 'vllm' && engine.type !== 'sglang') return [];
  const given = accelerators(engine.container);
  if (given === undefined || given === 'claimed') return [];
  // Over several nodes a pod has a part of the ranks only.
  if (
    engine.workload.object.kind === 'LeaderWorkerSet' ||
    engine.flags.has('--nnodes') ||
    engine.flags.has('--data-parallel-address')
  )
    return [];
  const sizes = ['--tensor-parallel-size', '--pipeline-parallel-size', '--data-parallel-size'].map((flag) => {
    const flagged = engine.flags.get(flag);
    return flagged === undefined ? 1 : flagNumber(engine, flag);
  });
  const local = flagNumber(engine, '--data-parallel-size-local');
  const [tensor, pipeline, data] = sizes;
  if (tensor === undefined || pipeline === undefined || data === undefined) return [];
  const ranks = tensor * pipeline * (local ?? data);
  // A shared accelerator (MIG, time slices) counts as one.
  if (ranks === given.count || engine.flags.has('--distributed-executor-backend')) return [];
  const flag = engine.flags.get('--tensor-parallel-size');
  const split = `tensor ${tensor} x pipeline ${pipeline} x data ${local ?? data} = ${ranks}`;
  return [
    finding(given.field, `is not the number of workers of the engine (${split})`, {
      allowed: String(ranks),
      fix:
        flag === undefined && ranks === 1
          ? `add --tensor-parallel-size=${given.count}, or ask for one accelerator`
          : 'make the sizes and the accelerators agree',
      // Idle GPUs are a waste, missing ones a crash.
      severity: given.count > ranks ? 'warning' : 'error',
    }),
  ];
}
