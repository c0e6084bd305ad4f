import { DEFAULT_ENGINE, ENGINE_LABEL, ENGINE_METRICS, type EngineMetrics, LEGACY_ENGINE_LABEL } from './engine-metrics';

/** How an endpoint's engine is told from its labels. */
export interface EngineSelector {
  /** Labels whose value is the engine's name; the first that is present counts. */
  readonly labels: readonly string[];
  /** For endpoints without such a label, or with an unknown value. */
  readonly defaultEngine: string;
  readonly engines: ReadonlyMap<string, EngineMetrics>;
}

export const DEFAULT_ENGINE_SELECTOR: EngineSelector = {
  labels: [ENGINE_LABEL, LEGACY_ENGINE_LABEL],
  defaultEngine: DEFAULT_ENGINE,
  engines: ENGINE_METRICS,
};

export function engineOf(
  labels: Readonly<Record<string, string>>,
  { labels: keys, defaultEngine, engines }: EngineSelector,
): { readonly name: string; readonly metrics: EngineMetrics } {
  const key = keys.find((candidate) => Object.hasOwn(labels, candidate));
  const named = key === undefined ? undefined : labels[key];
  const name = named !== undefined && engines.has(named) ? named : defaultEngine;
  return { name, metrics: engines.get(name)! };
}
