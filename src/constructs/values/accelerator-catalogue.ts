/** What the library knows of one accelerator. */
export interface AcceleratorModel {
  readonly name: string;
  readonly vendor: 'nvidia' | 'amd' | 'google';
  /** Memory that an engine sees, in GiB: less than the name says, because of ECC and of what the driver keeps. */
  readonly memoryGib: number;
  /** Most accelerators of this kind that one node commonly has. */
  readonly maxPerNode: number;
  /** Where `memoryGib` comes from. */
  readonly source: string;
}

const TORCH = 'total memory as PyTorch reports it on such a card ("GPU 0 has a total capacity of …")';
const TPU = 'cloud.google.com/tpu/docs, system architecture: HBM per chip';

const nvidia = (name: string, memoryGib: number, maxPerNode = 8, source = TORCH): AcceleratorModel => ({
  name,
  vendor: 'nvidia',
  memoryGib,
  maxPerNode,
  source,
});
const amd = (name: string, memoryGib: number, source = TORCH): AcceleratorModel => ({
  name,
  vendor: 'amd',
  memoryGib,
  maxPerNode: 8,
  source,
});
const tpu = (name: string, memoryGib: number, maxPerNode: number): AcceleratorModel => ({
  name,
  vendor: 'google',
  memoryGib,
  maxPerNode,
  source: TPU,
});

/** Sorted by memory inside a vendor, so that the first that fits is the smallest. */
export const ACCELERATORS: readonly AcceleratorModel[] = [
  nvidia('T4', 14.56, 8),
  nvidia('A10G', 22.03),
  nvidia('L4', 22.03),
  nvidia('A100-40GB', 39.39, 16),
  nvidia('L40S', 44.34),
  nvidia('A100-80GB', 79.14, 16),
  nvidia('H100', 79.11),
  nvidia('H200', 139.72),
  nvidia('B200', 178.35),
  nvidia('GB200', 184.0, 4, 'nvidia-smi reports 189,471 MiB; less 0.6 % as on the B200'),
  amd('MI300X', 191.69),
  amd('MI325X', 255.69),
  amd('MI355X', 287.6, '288 GB as amd.com/instinct states, less the 0.3 GiB that PyTorch does not see on the MI300X'),
  tpu('v5e', 16, 8),
  tpu('v6e', 32, 8),
  tpu('v5p', 95, 4),
];

/** The entry of `name`, whatever the case; undefined when there is none. */
export function acceleratorModel(vendor: AcceleratorModel['vendor'], name: string): AcceleratorModel | undefined {
  const wanted = name.toLowerCase();
  return ACCELERATORS.find((model) => model.vendor === vendor && model.name.toLowerCase() === wanted);
}
