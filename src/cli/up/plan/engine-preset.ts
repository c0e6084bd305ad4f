import { ModelCatalogue } from '../../../constructs/values/model-catalogue/catalogue';
import { resolveModelSpec } from '../../../constructs/values/model-catalogue/model-spec';
import type { EngineProfile } from '../../../simulation/engine/core/profile';
import { acceleratorFigures, acceleratorProfile, type ModelShape, USUAL_MODEL } from '../../../simulation/engine/presets';
import type { Workload } from './kube-objects';
import type { EngineArguments } from './vllm-arguments';

const KV_BYTES_PER_ELEMENT = 2;

/**
 * How fast an engine is: as its model on the accelerator that its nodes are labelled with, or else on `accelerator`; what its command line
 * says goes before.
 */
export function presetOf(
  { model, tensorParallel, profile }: EngineArguments,
  { kind, namespace, name, nodeSelector }: Workload,
  accelerator: string | undefined,
  notice: (text: string) => void,
): Partial<EngineProfile> {
  const label = Object.values(nodeSelector).find((value) => acceleratorFigures(value) !== undefined);
  const wanted = label ?? accelerator;
  if (wanted === undefined) return profile;
  const preset = acceleratorProfile(wanted, shapeOf(model), tensorParallel);
  if (preset === undefined) {
    const cards = tensorParallel === 1 ? 'one' : String(tensorParallel);
    notice(
      `${kind} ${namespace}/${name} is not simulated as ${acceleratorFigures(wanted)!.name}: its model does not fit on ${cards}`,
    );
    return profile;
  }
  return {
    ...preset,
    ...profile,
    kvBlocks: Math.max(preset.kvBlocks!, Math.ceil((profile.maxModelTokens ?? 0) / preset.blockTokens!)),
  };
}

/** Figures of a model that is known, and of an 8 B model for others. */
function shapeOf(model: string | undefined): ModelShape {
  const known = model === undefined ? undefined : ModelCatalogue.find(model);
  if (known === undefined) return USUAL_MODEL;
  const spec = resolveModelSpec(known);
  const elements = spec.latentSize ?? 2 * spec.keyValueHeads * spec.headSize;
  return {
    parameters: spec.parameters,
    layers: spec.layers,
    weightBits: spec.checkpointBits,
    kvBytesPerToken: elements * spec.layers * KV_BYTES_PER_ELEMENT,
  };
}
