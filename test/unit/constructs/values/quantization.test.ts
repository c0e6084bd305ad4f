import { KvCacheDataType } from '../../../../src/constructs/values/data-type';
import { Quantization } from '../../../../src/constructs/values/quantization';
import { backend, engineOf } from '../vllm/synth';

/** Some of `QuantizationMethods` and `CacheDType` of vLLM 0.30 (vllm/model_executor/layers/quantization, vllm/config/cache.py). */
const METHODS = ['fp8', 'awq', 'gptq', 'compressed-tensors', 'mxfp4', 'modelopt_fp4'];
const CACHE_TYPES = ['auto', 'fp8', 'fp8_e5m2'];

test.each([
  [Quantization.fp8(), 8, undefined],
  [Quantization.awq(), 4.15625, 4],
  [Quantization.gptq(), 4.15625, 4],
  [Quantization.compressedTensors(8), 8, 8],
  [Quantization.mxfp4(), 4.25, 4],
  [Quantization.nvfp4(), 4.5, 4],
])('$name is a method of vLLM and has its bits', (quantization, bits, checkpointBits) => {
  expect(METHODS).toContain(quantization.argument);
  expect(quantization.bitsPerParameter).toBe(bits);
  expect(quantization.checkpointBits).toBe(checkpointBits);
});

test('a method of another name is passed on', () => {
  expect(engineOf(backend({ quantization: Quantization.custom('bitsandbytes', 4.5) })).args).toContain(
    '--quantization=bitsandbytes',
  );
});

test.each([KvCacheDataType.AUTO, KvCacheDataType.FP8, KvCacheDataType.FP8_E5M2])('$argument is a type of vLLM', ({
  argument,
}) => {
  expect(CACHE_TYPES).toContain(argument);
});

test('a KV cache of another type is passed on', () => {
  const nvfp4 = KvCacheDataType.custom('nvfp4', 0.5625);
  expect(engineOf(backend({ kvCacheDtype: nvfp4 })).args).toContain('--kv-cache-dtype=nvfp4');
  expect(nvfp4.bytesPerElement).toBe(0.5625);
});
