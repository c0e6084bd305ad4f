import type { Field } from '../../object-index';

/** GiB of one accelerator by the labels that say which one a pod wants. Names of clouds and of NVIDIA's feature discovery. */
const MEMORY_GIB: readonly (readonly [RegExp, number])[] = [
  [/gb200/i, 186],
  [/b200/i, 180],
  [/mi355x/i, 288],
  [/mi325x/i, 256],
  [/mi300x/i, 192],
  [/h200/i, 141],
  [/h100/i, 80],
  [/a100.*80|80gb.*a100|ultragpu/i, 80],
  [/a100/i, 40],
  [/l40s?\b|l40s/i, 48],
  [/a40\b/i, 48],
  [/a10g?\b/i, 24],
  [/\bl4\b|-l4$/i, 24],
  [/v100.*32/i, 32],
  [/v100/i, 16],
  [/\bt4\b|-t4$/i, 16],
  [/p100/i, 16],
];
const LABELS = [
  'nvidia.com/gpu.product',
  'cloud.google.com/gke-accelerator',
  'karpenter.k8s.aws/instance-gpu-name',
  'gpu.nvidia.com/class',
];

/** The memory of the accelerator that a pod is bound to, nothing when it may run on several kinds. */
export function gpuMemoryGib(podSpec: Field): { readonly name: string; readonly memoryGib: number } | undefined {
  const names = LABELS.flatMap((label) => podSpec.at('nodeSelector', label).text ?? []);
  const terms = podSpec.at(
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
    'nodeSelectorTerms',
  ).items;
  for (const expression of terms.length === 1 ? terms[0]!.at('matchExpressions').items : []) {
    if (!LABELS.includes(expression.at('key').text ?? '') || expression.at('operator').text !== 'In') continue;
    names.push(...expression.at('values').texts);
  }
  if (names.length !== 1) return undefined;
  const name = names[0]!;
  const found = MEMORY_GIB.find(([pattern]) => pattern.test(name));
  return found === undefined ? undefined : { name, memoryGib: found[1] };
}
