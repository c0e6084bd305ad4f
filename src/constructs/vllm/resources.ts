import type { Resources } from '../kube/pod-template';
import type { VllmBackendProps } from '../vllm-backend-props';

const GIB = 1024 ** 3;

/** Sizes that follow from the accelerators and the weights, in GiB. */
export interface HostSizes {
  readonly sharedMemoryGib: number;
  readonly memoryGib: number;
  readonly cpuCores: number;
  /** Part of the node's disk; undefined when the cache is a claim. */
  readonly diskGib: number | undefined;
}

/**
 * Each GPU has a worker process with a CUDA context and Python of its own: about 4 GiB and two cores. Shared memory and the KV
 * offload buffer are main memory too. A tenth of the weights is room for the shard that is being loaded.
 */
export function hostSizes(props: VllmBackendProps, weightBytes: number): HostSizes {
  const gpus = props.accelerator.count;
  const weightsGib = weightBytes / GIB;
  const sharedMemoryGib = props.sharedMemoryGib ?? 2 + gpus;
  const memoryGib = props.memoryGib ?? Math.ceil(4 + 4 * gpus + sharedMemoryGib + (props.kvOffloadGib ?? 0) + 0.1 * weightsGib);
  const stored = props.model._bound.fillsCache ? 1.2 * weightsGib : 0;
  const diskGib = props.cache?.claimName === undefined ? (props.cache?.sizeGib ?? Math.ceil(stored + 20)) : undefined;
  return { sharedMemoryGib, memoryGib, cpuCores: props.cpuCores ?? 2 + 2 * gpus, diskGib };
}

/** Requests for everything, limits for the accelerators alone: an engine that is throttled or killed for main memory helps nobody. */
export function engineResources(props: VllmBackendProps, sizes: HostSizes): Resources {
  const accelerators = { [props.accelerator.resourceName]: props.accelerator.count };
  const disk = sizes.diskGib === undefined ? undefined : { 'ephemeral-storage': `${sizes.diskGib}Gi` };
  return {
    requests: { cpu: `${sizes.cpuCores}`, memory: `${sizes.memoryGib}Gi`, ...disk, ...accelerators },
    limits: accelerators,
  };
}
