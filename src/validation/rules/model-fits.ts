import { finding, type Rule, type RuleFinding } from './rule';
import { accelerators, type Engine, engines } from './support/engines';
import { gpuMemoryGib } from './support/gpu-memory';
import { modelSize, weightBytes } from './support/model-size';

const GIB = 2 ** 30;
const LARGEST_GIB = 288;

/** Weights that are larger than all memory of the accelerators cannot be loaded, whatever else is set. */
export const modelFits: Rule = {
  code: 'AIG204',
  name: 'model-fits',
  title: 'The weights of a model fit its accelerators',
  severity: 'error',
  check: (index) => engines(index).flatMap(check),
};

function check(engine: Engine): RuleFinding[] {
  const { workload, container, model, flags } = engine;
  const size = modelSize(engine);
  const given = accelerators(container);
  if (size === undefined || model === undefined || given === undefined || given === 'claimed') return [];
  if (workload.object.kind === 'LeaderWorkerSet' || flags.has('--cpu-offload-gb') || flags.has('--nnodes')) return [];
  const gpu = gpuMemoryGib(workload.podSpec) ?? { name: 'largest accelerator there is', memoryGib: LARGEST_GIB };
  const weightsGib = weightBytes(size) / GIB;
  const thereGib = given.count * gpu.memoryGib;
  if (weightsGib < thereGib) return [];
  return [
    finding(
      model.field,
      `has ${weightsGib.toFixed(0)} GiB of weights or more, and ${given.count} x ${gpu.name} have ${thereGib} GiB`,
      {
        fix: 'take more or larger accelerators, or a quantized copy of the model',
      },
    ),
  ];
}
