import { Accelerator } from '../../../../src/constructs/values/accelerator';
import { ACCELERATORS } from '../../../../src/constructs/values/accelerator-catalogue';
import { refusal } from '../vllm/synth';

test('NVIDIA GPUs come from the catalogue, whatever the case', () => {
  const gpu = Accelerator.nvidia('h100', { count: 4, nodeLabels: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' } });
  expect(gpu).toMatchObject({ name: 'H100', resourceName: 'nvidia.com/gpu', count: 4, memoryGib: 79.11, rootless: true });
  expect(gpu.nodeLabels).toEqual({ 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' });
  expect(Accelerator.nvidia('L4').nodeLabels).toEqual({});
});

test('a GPU that is not in the catalogue needs its memory', () => {
  expect(Accelerator.nvidia('RTX-6000', { memoryGib: 94 })).toMatchObject({ name: 'RTX-6000', memoryGib: 94 });
  expect(refusal(() => Accelerator.nvidia('H1000'))?.message).toBe(
    "AIG419 the accelerator is not in the catalogue (got 'H1000'; allowed: T4, A10G, L4, A100-40GB, L40S, A100-80GB, H100, H200, B200, GB200): " +
      'use one of these, or set memoryGib, for example { memoryGib: 48 }',
  );
  expect(refusal(() => Accelerator.nvidia('L4', { memoryGib: 0 }))?.code).toBe('AIG419');
});

test.each([0, -1, 1.5, 9, Number.NaN])('%d H100 are refused', (count) => {
  expect(refusal(() => Accelerator.nvidia('H100', { count }))?.code).toBe('AIG428');
});

test('a TPU slice selects its nodes by type and topology', () => {
  expect(Accelerator.tpu('v6e', { count: 4 })).toMatchObject({
    resourceName: 'google.com/tpu',
    nodeLabels: { 'cloud.google.com/gke-tpu-accelerator': 'tpu-v6e-slice', 'cloud.google.com/gke-tpu-topology': '2x2' },
  });
  expect(refusal(() => Accelerator.tpu('v6e', { count: 3 }))?.code).toBe('AIG419');
  expect(Accelerator.tpu('v5p', { count: 2, topology: '1x2x1' }).nodeLabels['cloud.google.com/gke-tpu-topology']).toBe('1x2x1');
});

test('any other resource can be asked for', () => {
  expect(Accelerator.custom('habana.ai/gaudi', { count: 8, memoryGib: 96 })).toMatchObject({
    name: 'habana.ai/gaudi',
    resourceName: 'habana.ai/gaudi',
    taintKey: 'habana.ai/gaudi',
    count: 8,
  });
});

test('a slice of an NVIDIA GPU is an NVIDIA GPU', () => {
  expect(Accelerator.custom('nvidia.com/mig-3g.40gb', { memoryGib: 39 })).toMatchObject({
    vendor: 'nvidia',
    taintKey: 'nvidia.com/gpu',
    rootless: true,
  });
});

test('the catalogue is sorted by memory inside a vendor but for the A100, which H100 equals, and has a source for each', () => {
  for (const vendor of ['nvidia', 'amd', 'google']) {
    const memory = ACCELERATORS.filter((model) => model.vendor === vendor).map((model) => Math.round(model.memoryGib));
    expect(memory).toEqual([...memory].sort((a, b) => a - b));
  }
  for (const model of ACCELERATORS) expect(model.source).toMatch(/\w{5}/);
});
