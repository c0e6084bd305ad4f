import { FamilyFinder } from './family-finder';
import { SeriesCursor } from './series-cursor';

/** Gauges of the DCGM exporter that say how busy a GPU is, the better known one first; slices of a GPU (MIG) have only the second. */
const GAUGES = [
  { name: 'DCGM_FI_DEV_GPU_UTIL', full: 100 },
  { name: 'DCGM_FI_PROF_GR_ENGINE_ACTIVE', full: 1 },
] as const;

/** Whose GPUs are meant. Undefined means all that the page has, as in a sidecar, whose exporter sees only the pod's own. */
export interface GpuOwner {
  readonly podName: string | undefined;
  readonly namespace: string | undefined;
}

/**
 * Reads the pages of one DCGM exporter: for each owner the busiest of its GPUs. A series without the label `pod` belongs to everyone (as for
 * llm-d's `dcgm-extractor`), and one with a label `namespace` only to a pod of that namespace.
 */
export class GpuPageReader {
  private readonly gauges = GAUGES.map(({ name, full }) => ({
    full,
    finder: new FamilyFinder(name),
    cursor: new SeriesCursor(Buffer.from(name)),
  }));

  /** For a message when none of them is there. */
  public static readonly METRICS: readonly string[] = GAUGES.map(({ name }) => name);

  /** @returns 0 to 1 for each owner, undefined where the page has no GPU of his; undefined when it has none of the metrics */
  public read(page: Buffer, owners: readonly GpuOwner[]): (number | undefined)[] | undefined {
    for (const { full, finder, cursor } of this.gauges) {
      if (!finder.find(page, cursor)) continue;
      const busiest = owners.map((): number | undefined => undefined);
      while (cursor.next()) {
        if (!Number.isFinite(cursor.value)) continue;
        const ratio = Math.min(1, Math.max(0, cursor.value / full));
        const pod = cursor.label('pod');
        const namespace = cursor.label('namespace');
        owners.forEach((owner, index) => {
          if (isOf(owner, pod, namespace)) busiest[index] = Math.max(busiest[index] ?? 0, ratio);
        });
      }
      return busiest;
    }
    return undefined;
  }
}

function isOf({ podName, namespace: own }: GpuOwner, pod: string | undefined, namespace: string | undefined): boolean {
  // an empty label is that of a GPU that no pod uses
  if (podName === undefined || pod === undefined) return true;
  return pod === podName && (own === undefined || namespace === undefined || namespace === own);
}
