import type { Problem } from '../../shared/problem';
import type { Accelerator } from '../values/accelerator';
import { changesThatFit } from './capacity-advice';
import { type EngineShape, fits, GIB, gpuMemory, weightBytes } from './memory';

/** The problem of a model that cannot start on its accelerators, with the arithmetic and every single change that would help. */
export function capacityProblem(shape: EngineShape, accelerator: Accelerator): Problem | undefined {
  if (fits(shape)) return undefined;
  const changes = changesThatFit(shape, accelerator);
  return {
    code: 'AIG410',
    what: `${shape.spec.id} does not fit ${accelerator.count} x ${accelerator.name}; ${arithmetic(shape)}`,
    fix:
      changes.length > 0
        ? `any one of these fits: ${changes.join('; ')}`
        : 'no single change fits: combine more or bigger accelerators, quantization and a shorter maxModelLengthTokens',
  };
}

/** `per accelerator: weights 70.55e9 x 16 bit = 131.4 GiB / 4 = 32.9, KV cache …: 36.6 GiB needed, 22.03 x 0.9 = 19.8 GiB there` */
export function arithmetic(shape: EngineShape): string {
  const { spec, split } = shape;
  const memory = gpuMemory(shape);
  const total = weightBytes(spec, shape.weightBits) / GIB;
  const gpus = split.tensor * split.pipeline;
  const lora = memory.loraGib > 0 ? `, LoRA adapters ${gib(memory.loraGib)}` : '';
  return (
    `per accelerator: weights ${(spec.parameters / 1e9).toFixed(2)}e9 x ${bits(shape.weightBits)} bit = ${gib(total)} GiB` +
    `${gpus > 1 ? ` / ${gpus} = ${gib(memory.weightsGib)}` : ''}, KV cache of one sequence of ${tokens(shape.maxModelLengthTokens)} tokens ` +
    `${gib(memory.sequenceGib)}, activations and runtime ${gib(memory.overheadGib)}${lora}: ${gib(memory.neededGib)} GiB needed, ` +
    `${shape.gpuMemoryGib} x ${shape.utilizationRatio} = ${gib(memory.availableGib)} GiB there`
  );
}

function gib(value: number): string {
  return value < 9.95 ? value.toFixed(2) : value.toFixed(1);
}

/** 131072 as 131,072. */
function tokens(count: number): string {
  return count.toLocaleString('en-US');
}

function bits(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toFixed(2);
}
