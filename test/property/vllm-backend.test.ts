import { App, Chart, Testing } from 'cdk8s';
import fc from 'fast-check';
import { AiGatewayError } from '../../src/constructs/internal/errors';
import { Accelerator } from '../../src/constructs/values/accelerator';
import { ACCELERATORS } from '../../src/constructs/values/accelerator-catalogue';
import { KvCacheDataType } from '../../src/constructs/values/data-type';
import { ModelCatalogue } from '../../src/constructs/values/model-catalogue/catalogue';
import { resolveModelSpec } from '../../src/constructs/values/model-catalogue/model-spec';
import { LoraAdapter } from '../../src/constructs/values/model-files';
import { ModelSource } from '../../src/constructs/values/model-source';
import { Quantization } from '../../src/constructs/values/quantization';
import { type EngineShape, gpuMemory } from '../../src/constructs/vllm/memory';
import { VllmBackend } from '../../src/constructs/vllm-backend';
import type { VllmBackendProps } from '../../src/constructs/vllm-backend-props';
import { validateManifests } from '../../src/validation';

const RUNS = { numRuns: 120 };
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const gpu = fc.constantFrom(...ACCELERATORS.filter((model) => model.vendor === 'nvidia'));
const id = fc.constantFrom(...ModelCatalogue.ids());

/** Valid properties of each field; together they may still be refused, for a reason that names a code. */
const propsArbitrary: fc.Arbitrary<VllmBackendProps> = fc
  .record({
    id,
    gpu,
    count: fc.constantFrom(1, 2, 4, 8),
    rest: fc.record({
      replicas: optional(fc.integer({ min: 0, max: 5 })),
      dataParallel: optional(fc.constantFrom(1, 2)),
      maxModelLengthTokens: optional(fc.integer({ min: 1, max: 8192 })),
      gpuMemoryUtilizationRatio: optional(fc.double({ min: 0.5, max: 1, noNaN: true })),
      quantization: optional(fc.constantFrom(Quantization.fp8(), Quantization.custom('x', 6))),
      kvCacheDtype: optional(fc.constantFrom(KvCacheDataType.AUTO, KvCacheDataType.FP8)),
      maxSequences: optional(fc.integer({ min: 1, max: 1024 })),
      adapters: optional(fc.constant([LoraAdapter.path('sql', '/weights/sql')])),
      port: optional(fc.integer({ min: 1024, max: 9000 })),
      surgeReplicas: optional(fc.integer({ min: 0, max: 2 })),
      networkPolicy: optional(fc.boolean()),
      disruptionBudget: optional(fc.boolean()),
      spread: optional(fc.boolean()),
      runAsUser: optional(fc.integer({ min: 0, max: 65535 })),
      kvOffloadGib: optional(fc.integer({ min: 1, max: 512 })),
    }),
  })
  .map(({ id: modelId, gpu: model, count, rest }) => ({
    model: ModelSource.huggingFace(modelId),
    accelerator: Accelerator.nvidia(model.name, { count: Math.min(count, model.maxPerNode) }),
    ...rest,
  }));

type Manifest = any;

function synthesize(...props: VllmBackendProps[]): Manifest[] | undefined {
  const chart = new Chart(new App(), 'llm', { namespace: 'ai' });
  try {
    for (const [index, each] of props.entries()) new VllmBackend(chart, `m${index}`, each);
  } catch (error) {
    if (!AiGatewayError.isAiGatewayError(error)) throw error;
    for (const problem of error.problems) expect(problem.code).toMatch(/^AIG4[123]\d$/);
    return undefined;
  }
  return Testing.synth(chart);
}

test('whatever is not refused with a code is accepted by an API server, and always the same', () => {
  let accepted = 0;
  fc.assert(
    fc.property(propsArbitrary, (props) => {
      const manifests = synthesize(props);
      if (manifests === undefined) return;
      accepted += 1;
      expect(
        validateManifests(
          manifests.map((value) => ({ value })),
          { rules: 'admission' },
        ),
      ).toEqual([]);
      expect(synthesize(props)).toEqual(manifests);
    }),
    RUNS,
  );
  expect(accepted).toBeGreaterThan(RUNS.numRuns / 10);
});

test('every selector matches the pods of its own backend and no others', () => {
  fc.assert(
    fc.property(propsArbitrary, propsArbitrary, (a, b) => {
      const manifests = synthesize(a, b);
      if (manifests === undefined) return;
      const pods = new Map(
        manifests
          .filter((manifest) => manifest.kind === 'Deployment')
          .map((manifest) => [manifest.metadata.name, manifest.spec.template.metadata.labels]),
      );
      for (const { kind, metadata, spec } of manifests) {
        const selector = kind === 'Service' ? spec.selector : (spec.selector ?? spec.podSelector).matchLabels;
        const matched = [...pods].filter(([, labels]) => Object.entries(selector).every(([key, value]) => labels[key] === value));
        expect(matched.map(([name]) => name)).toEqual([metadata.name]);
      }
    }),
    RUNS,
  );
});

test('more memory, more GPUs, fewer bits or shorter sequences never make a model fit less', () => {
  const shape = fc.record({ id, gpu, tokens: fc.integer({ min: 16, max: 32768 }), sequences: fc.integer({ min: 1, max: 1024 }) });
  fc.assert(
    fc.property(shape, ({ id: modelId, gpu: model, tokens, sequences }) => {
      const spec = resolveModelSpec(ModelCatalogue.find(modelId)!);
      const base: EngineShape = {
        spec,
        split: { tensor: 2, pipeline: 1, data: 1 },
        gpuName: model.name,
        gpuMemoryGib: model.memoryGib,
        utilizationRatio: 0.9,
        maxModelLengthTokens: tokens,
        weightBits: spec.checkpointBits,
        kvBytesPerElement: 2,
        maxSequences: sequences,
        maxBatchedTokens: 4096,
        loras: 1,
        loraRank: 16,
      };
      const room = (change: Partial<EngineShape>): number => {
        const memory = gpuMemory({ ...base, ...change });
        return memory.availableGib - memory.neededGib;
      };
      const before = room({});
      for (const change of [
        { gpuMemoryGib: model.memoryGib + 8 },
        { split: { tensor: 4, pipeline: 1, data: 1 } },
        { weightBits: spec.checkpointBits / 2 },
        { kvBytesPerElement: 1 },
        { maxModelLengthTokens: Math.max(1, tokens - 16) },
        { maxSequences: Math.max(1, sequences - 1) },
        { loras: 0 },
      ]) {
        expect(room(change)).toBeGreaterThanOrEqual(before);
      }
    }),
    RUNS,
  );
});
