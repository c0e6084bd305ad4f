import { DEFAULT_POOL_GROUP, EXPERIMENTAL_POOL_GROUP, type PoolGroup } from '../../picker-config/picker-policy';
import type { KubeObject } from './cluster-watch';

/** Versions of the InferencePool by its group, the likeliest first. */
export const POOL_VERSIONS: Readonly<Record<PoolGroup, readonly [string, ...string[]]>> = {
  [DEFAULT_POOL_GROUP]: ['v1'],
  [EXPERIMENTAL_POOL_GROUP]: ['v1alpha2', 'v1alpha1'],
};

/** Which pods a pool has, and on which ports they serve. */
export interface PodSelection {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
}

interface StableSpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetPorts?: readonly { readonly number?: number }[];
}

interface ExperimentalSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly targetPortNumber?: number;
}

/** The selection of an InferencePool of any version. Empty parts are for the caller to refuse. */
export function parseInferencePool({ spec }: KubeObject): PodSelection {
  const { targetPortNumber, selector: experimental } = (spec ?? {}) as ExperimentalSpec;
  // the older versions have one port, under a name of its own
  if (targetPortNumber !== undefined) return { matchLabels: experimental ?? {}, ports: [targetPortNumber] };
  const { selector, targetPorts } = (spec ?? {}) as StableSpec;
  const ports = (targetPorts ?? []).flatMap(({ number }) => (number === undefined ? [] : [number]));
  return { matchLabels: selector?.matchLabels ?? {}, ports };
}

/** A label selector as the API server takes it, the same for the same labels. */
export function labelSelector(matchLabels: Readonly<Record<string, string>>): string {
  return Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
