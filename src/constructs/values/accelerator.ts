import { refuse } from '../internal/errors';
import { ACCELERATORS, type AcceleratorModel, acceleratorModel } from './accelerator-catalogue';

/** How many, and on which nodes. */
export interface AcceleratorOptions {
  /** Accelerators of one replica. @default 1 */
  readonly count?: number;
  /**
   * Memory of one accelerator in GiB, as the engine sees it.
   * @default - from the catalogue of accelerators
   */
  readonly memoryGib?: number;
  /**
   * Labels of the nodes that have this accelerator, for example `{ 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' }`. The
   * values differ between GPU operators and clouds, so none is assumed.
   * @default - any node that offers the resource
   */
  readonly nodeLabels?: { readonly [key: string]: string };
}

/** Options of `Accelerator.tpu()`. */
export interface TpuOptions {
  /** Chips of one replica. @default 1 */
  readonly count?: number;
  /** GKE topology of the slice, `cloud.google.com/gke-tpu-topology`. @default - the single-host topology of `count` chips */
  readonly topology?: string;
  /** Value of `cloud.google.com/gke-tpu-accelerator`. @default - by generation, for example `tpu-v6e-slice` */
  readonly nodeType?: string;
}

/** Options of `Accelerator.custom()`. */
export interface CustomAcceleratorOptions extends AcceleratorOptions {
  /** Name for messages. @default - the resource name */
  readonly name?: string;
  /** Taint key that the nodes carry. @default - the resource name; `nvidia.com/gpu` for all resources of NVIDIA */
  readonly taintKey?: string;
  /** Whether a process that is not root may open the device. @default - true for resources of NVIDIA, else false */
  readonly rootless?: boolean;
}

const TPU_NODE_TYPES: { readonly [generation: string]: string } = {
  v5e: 'tpu-v5-lite-podslice',
  v5p: 'tpu-v5p-slice',
  v6e: 'tpu-v6e-slice',
};
/** Single-host topologies (cloud.google.com/kubernetes-engine/docs/concepts/tpus). */
const TPU_TOPOLOGIES: { readonly [generation: string]: { readonly [chips: number]: string } } = {
  v5e: { 1: '1x1', 4: '2x2', 8: '2x4' },
  v6e: { 1: '1x1', 4: '2x2', 8: '2x4' },
  v5p: { 4: '2x2x1' },
};

/** The accelerators of one replica of an engine. */
export class Accelerator {
  /** NVIDIA GPUs: `T4`, `A10G`, `L4`, `L40S`, `A100-40GB`, `A100-80GB`, `H100`, `H200`, `B200`, `GB200`, or another with `memoryGib`. */
  public static nvidia(model: string, options: AcceleratorOptions = {}): Accelerator {
    return Accelerator.known('nvidia', model, 'nvidia.com/gpu', true, options);
  }

  /**
   * AMD GPUs: `MI300X`, `MI325X`, `MI355X`, or another with `memoryGib`. The engine runs as root there by default: the device
   * files belong to the node's `render` group, whose number differs from node to node.
   */
  public static amd(model: string, options: AcceleratorOptions = {}): Accelerator {
    return Accelerator.known('amd', model, 'amd.com/gpu', false, options);
  }

  /** Google TPUs on GKE: generation `v5e`, `v5p` or `v6e`, in a single-host slice. */
  public static tpu(generation: string, options: TpuOptions = {}): Accelerator {
    const count = options.count ?? 1;
    const topology = options.topology ?? TPU_TOPOLOGIES[generation]?.[count];
    const nodeType = options.nodeType ?? TPU_NODE_TYPES[generation];
    if (topology === undefined || nodeType === undefined) {
      refuse(undefined, {
        code: 'AIG419',
        what: 'there is no single-host TPU slice of this shape',
        value: `${generation} x ${count}`,
        allowed: Object.entries(TPU_TOPOLOGIES)
          .map(([name, shapes]) => `${name} x ${Object.keys(shapes).join('|')}`)
          .join(', '),
        fix: 'use one of these, or set topology and nodeType',
      });
    }
    return Accelerator.known('google', generation, 'google.com/tpu', false, {
      count,
      nodeLabels: { 'cloud.google.com/gke-tpu-accelerator': nodeType, 'cloud.google.com/gke-tpu-topology': topology },
    });
  }

  /** Any other extended resource, for example `habana.ai/gaudi` or `nvidia.com/mig-3g.40gb`. Without `memoryGib` the capacity check is skipped with a warning. */
  public static custom(resourceName: string, options: CustomAcceleratorOptions = {}): Accelerator {
    const isNvidia = resourceName.startsWith('nvidia.com/');
    return new Accelerator({
      name: options.name ?? resourceName,
      vendor: isNvidia ? 'nvidia' : 'other',
      resourceName,
      taintKey: options.taintKey ?? (isNvidia ? 'nvidia.com/gpu' : resourceName),
      count: options.count ?? 1,
      memoryGib: options.memoryGib,
      maxPerNode: undefined,
      nodeLabels: options.nodeLabels ?? {},
      rootless: options.rootless ?? isNvidia,
    });
  }

  private static known(
    vendor: AcceleratorModel['vendor'],
    name: string,
    resourceName: string,
    rootless: boolean,
    options: AcceleratorOptions,
  ): Accelerator {
    const model = acceleratorModel(vendor, name);
    const memoryGib = options.memoryGib ?? model?.memoryGib;
    if (memoryGib === undefined || !(memoryGib > 0)) {
      refuse(undefined, {
        code: 'AIG419',
        what: memoryGib === undefined ? 'the accelerator is not in the catalogue' : 'memoryGib must be positive',
        value: memoryGib ?? name,
        allowed: ACCELERATORS.filter((entry) => entry.vendor === vendor)
          .map((entry) => entry.name)
          .join(', '),
        fix: `use one of these, or set memoryGib, for example { memoryGib: 48 }`,
      });
    }
    return new Accelerator({
      name: model?.name ?? name,
      vendor,
      resourceName,
      taintKey: resourceName,
      count: options.count ?? 1,
      memoryGib,
      maxPerNode: model?.maxPerNode,
      nodeLabels: options.nodeLabels ?? {},
      rootless,
    });
  }

  /** Name for messages, for example `H100`. */
  public readonly name: string;
  /** `nvidia`, `amd`, `google` or `other`. */
  public readonly vendor: string;
  /** Extended resource of the node, for example `nvidia.com/gpu`. */
  public readonly resourceName: string;
  /** Key of the taint that such nodes commonly carry; the engine tolerates it. */
  public readonly taintKey: string;
  /** Accelerators of one replica. */
  public readonly count: number;
  /** Memory of one accelerator in GiB, undefined when unknown. */
  public readonly memoryGib: number | undefined;
  /** Most that one node commonly has, undefined when unknown. */
  public readonly maxPerNode: number | undefined;
  /** Node labels that select nodes with it. */
  public readonly nodeLabels: { readonly [key: string]: string };
  /** Whether a process that is not root may open the device. */
  public readonly rootless: boolean;

  private constructor(fields: AcceleratorFields) {
    if (
      !Number.isInteger(fields.count) ||
      fields.count < 1 ||
      (fields.maxPerNode !== undefined && fields.count > fields.maxPerNode)
    ) {
      refuse(undefined, {
        code: 'AIG428',
        what: `no node has that many ${fields.name}`,
        value: fields.count,
        allowed: `1 to ${fields.maxPerNode ?? 'what one node has'}`,
        fix: 'one replica runs on one node: use fewer or bigger accelerators per replica, and more replicas for more traffic',
      });
    }
    this.name = fields.name;
    this.vendor = fields.vendor;
    this.resourceName = fields.resourceName;
    this.taintKey = fields.taintKey;
    this.count = fields.count;
    this.memoryGib = fields.memoryGib;
    this.maxPerNode = fields.maxPerNode;
    this.nodeLabels = { ...fields.nodeLabels };
    this.rootless = fields.rootless;
  }
}

interface AcceleratorFields {
  readonly name: string;
  readonly vendor: string;
  readonly resourceName: string;
  readonly taintKey: string;
  readonly count: number;
  readonly memoryGib: number | undefined;
  readonly maxPerNode: number | undefined;
  readonly nodeLabels: { readonly [key: string]: string };
  readonly rootless: boolean;
}
