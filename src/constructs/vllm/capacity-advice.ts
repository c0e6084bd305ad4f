import type { Accelerator } from '../values/accelerator';
import { ACCELERATORS } from '../values/accelerator-catalogue';
import { type EngineShape, fits } from './memory';
import { tensorParallelFits } from './parallelism';

const GPU_COUNTS = [2, 4, 8, 16];
/** Shorter contexts than this are of no use to a chat. */
const LEAST_LENGTH_TOKENS = 1024;

/** Changes of one thing each, with which `shape` fits; the smallest of each kind. */
export function changesThatFit(shape: EngineShape, accelerator: Accelerator): string[] {
  const changes: string[] = [];
  const tryChange = (text: string, change: Partial<EngineShape>): void => {
    if (fits({ ...shape, ...change })) changes.push(text);
  };

  const length = longestLength(shape);
  if (length !== undefined) changes.push(`maxModelLengthTokens: ${length}`);
  if (shape.kvBytesPerElement > 1) tryChange('kvCacheDtype: KvCacheDataType.FP8', { kvBytesPerElement: 1 });
  if (shape.weightBits > 8 && accelerator.name !== 'T4') tryChange('quantization: Quantization.fp8()', { weightBits: 8 });
  if (shape.weightBits > 5) tryChange('a 4-bit checkpoint with quantization: Quantization.awq()', { weightBits: 4 + 20 / 128 });
  const count = fewestGpus(shape, accelerator);
  if (count !== undefined) changes.push(`${count} x ${accelerator.name}`);
  const bigger = biggerGpus(shape, accelerator);
  if (bigger.length > 0) changes.push(`${accelerator.count} x ${bigger.join(' or ')}`);
  return changes;
}

/** Longest sequence that fits, in steps of 1,024; undefined when even a short one does not. */
export function longestLength(shape: EngineShape): number | undefined {
  let low = 0;
  let high = Math.floor(shape.maxModelLengthTokens / LEAST_LENGTH_TOKENS);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits({ ...shape, maxModelLengthTokens: middle * LEAST_LENGTH_TOKENS })) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? undefined : low * LEAST_LENGTH_TOKENS;
}

function fewestGpus(shape: EngineShape, accelerator: Accelerator): number | undefined {
  const others = shape.split.pipeline * shape.split.data;
  return GPU_COUNTS.find((count) => {
    const tensor = count / others;
    if (count <= accelerator.count || count > (accelerator.maxPerNode ?? 8) || !Number.isInteger(tensor)) return false;
    return tensorParallelFits(tensor, shape.spec) && fits({ ...shape, split: { ...shape.split, tensor } });
  });
}

/** Every bigger accelerator of the same maker that a node can have that many of; smallest first. */
function biggerGpus(shape: EngineShape, accelerator: Accelerator): string[] {
  return ACCELERATORS.filter(
    (model) =>
      model.vendor === accelerator.vendor &&
      model.memoryGib > shape.gpuMemoryGib &&
      accelerator.count <= model.maxPerNode &&
      fits({ ...shape, gpuName: model.name, gpuMemoryGib: model.memoryGib }),
  ).map((model) => model.name);
}
