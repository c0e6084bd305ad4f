import type { BoundModelSource } from '../values/model-source';

/** How long one pod may take, in seconds. */
export interface StartupBudget {
  /** From the start of the engine's container to its first answer on /health. */
  readonly startupSeconds: number;
  /** From the rollout's start of one pod to its readiness: the old pod's drain, the image, the copy of the weights, the start. */
  readonly progressSeconds: number;
}

/** Compilation of kernels and capture of CUDA graphs, and what differs from run to run. */
const COMPILE_SECONDS = 300;
/** A download that runs at half the expected speed still ends in time. */
const SLOWNESS = 2;
/** An engine image has some 10 GB; at 20 MB/s a node needs this long to fetch it. */
const IMAGE_PULL_SECONDS = 600;

/**
 * `startup = 2 x weights / bandwidth + 300 s`, where the bandwidth is the source's: 100 MB/s for a download, 200 MB/s for a disk,
 * unless the user knows better. What is copied by an init container is copied before the startup probe begins.
 */
export function startupBudget(
  weightBytes: number,
  source: BoundModelSource,
  megabytesPerSecond: number | undefined,
  startupTimeoutSeconds: number | undefined,
  graceSeconds: number,
): StartupBudget {
  const seconds = (rate: number): number => Math.ceil((SLOWNESS * weightBytes) / (rate * 1e6));
  const copied = source.copyMegabytesPerSecond !== undefined;
  const copySeconds =
    source.copyMegabytesPerSecond === undefined ? 0 : seconds(megabytesPerSecond ?? source.copyMegabytesPerSecond);
  const loadRate = copied ? source.startMegabytesPerSecond : (megabytesPerSecond ?? source.startMegabytesPerSecond);
  const startupSeconds = startupTimeoutSeconds ?? seconds(loadRate) + COMPILE_SECONDS;
  return { startupSeconds, progressSeconds: graceSeconds + IMAGE_PULL_SECONDS + copySeconds + startupSeconds };
}
