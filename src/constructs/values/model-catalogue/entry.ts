import type { ModelSpec } from './model-spec';

/** Models of the same shape: the base model and those tuned from it share every figure but, now and then, the context. */
export interface CatalogueEntry extends Omit<ModelSpec, 'id'> {
  readonly ids: readonly string[];
}

/**
 * Sources. `parameters` are the totals of the safetensors index; for text-only models they equal, to the last one, the sum over the
 * matrices that the config describes, which test/unit/constructs/values/model-catalogue.test.ts computes.
 */
export const CONFIG = 'config.json of the repository; parameters from its safetensors index';
