import { type ApiObject, Chart } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import { formatProblem } from '../shared/problem';
import { emit } from './internal/emit';
import { refuse } from './internal/errors';
import { resourceName } from './internal/names';
import type { PoolReference } from './internal/pool-reference';
import type { IModelBackend, NetworkPeer } from './model-backend';
import type { EndpointPickerOptions } from './picker/options';
import { poolSpec } from './pool/pool-spec';
import { ApiGeneration } from './values/api-generation';
import { FailureMode } from './values/failure-mode';

/** Longest name that leaves room for the Service that Istio derives: `<pool>-ip-<8 hex digits>`. */
const MAX_NAME_LENGTH = 50;

/** A set of pods that serve the same models and are chosen from by one picker. */
export interface IInferencePool extends IConstruct {
  readonly poolName: string;
  /** Undefined when the chart sets none. */
  readonly namespace: string | undefined;
  readonly generation: ApiGeneration;
  /** Backends whose pods the pool selects; empty for a pool made from labels. */
  readonly backends: readonly IModelBackend[];
  /** Labels of its pods; empty when they are not known. */
  readonly podLabels: { readonly [key: string]: string };
  readonly ports: readonly number[];
  /** False where the cluster has no InferencePool kind. */
  readonly hasObject: boolean;
  readonly failureMode: FailureMode;
  /** Picker settings of its own. */
  readonly pickerOptions: EndpointPickerOptions | undefined;
  /** Opens the NetworkPolicies of its backends. */
  allowFrom(peer: NetworkPeer, reason: string): void;
  /** Names the Service of the picker in the pool's object. The first one stays. */
  usePicker(serviceName: string, port: number): void;
}

/** Properties of {@link InferencePool}. */
export interface InferencePoolProps {
  /** The pods to choose from. @default - `backends` or `selector` */
  readonly backend?: IModelBackend;
  /** Several backends in one pool, for example two kinds of GPU that serve the same model. @default - `backend` */
  readonly backends?: IModelBackend[];
  /**
   * Labels of the pods. With backends they are added to their pods; alone they select pods that something else makes.
   * @default - the labels of the only backend, or a label of the pool's own for several
   */
  readonly selector?: { readonly [key: string]: string };
  /** Ports of the engine on each pod, one per data-parallel rank; at most 8. @default - those of the backends, else 8000 */
  readonly ports?: number[];
  /** Name of the pool. @default - made from the construct's path */
  readonly name?: string;
  /** Picker of this pool, where pools have one each. @default - the gateway's */
  readonly picker?: EndpointPickerOptions;
  /** What a gateway does with the pool's requests while its picker does not answer. @default FailureMode.FAIL_CLOSE */
  readonly failureMode?: FailureMode;
  /** The API that the cluster runs. @default ApiGeneration.V1 */
  readonly generation?: ApiGeneration;
  /** False when the cluster has no InferencePool kind: no object is made, and the picker selects the pods by label. @default true */
  readonly clusterHasInferencePool?: boolean;
  /** Labels of the InferencePool object. @default - none */
  readonly labels?: { readonly [key: string]: string };
  /** Annotations of the InferencePool object. @default - none */
  readonly annotations?: { readonly [key: string]: string };
}

/** A pool that something else made. */
export interface InferencePoolAttributes {
  /** Name of the InferencePool object. */
  readonly poolName: string;
  /** Namespace of the pool and its pods. @default - the chart's namespace */
  readonly namespace?: string;
  /** Labels of its pods. Needed outside of pool mode. @default - not known */
  readonly podLabels?: { readonly [key: string]: string };
  /** Ports of the engine on each pod. @default [8000] */
  readonly ports?: number[];
  /** The API that the cluster runs. @default ApiGeneration.V1 */
  readonly generation?: ApiGeneration;
}

/**
 * A pool of engines.
 *
 * @throws AIG462 without pods, AIG463 for ports that do not fit, AIG436 for a name that is too long
 */
export class InferencePool extends Construct implements IInferencePool {
  /** A pool that is in the cluster already, with its picker. */
  public static fromInferencePoolAttributes(scope: Construct, id: string, attributes: InferencePoolAttributes): IInferencePool {
    return new ImportedInferencePool(scope, id, attributes);
  }

  public readonly poolName: string;
  public readonly namespace: string | undefined;
  public readonly generation: ApiGeneration;
  public readonly backends: readonly IModelBackend[];
  public readonly podLabels: { readonly [key: string]: string };
  public readonly ports: readonly number[];
  public readonly hasObject: boolean;
  public readonly failureMode: FailureMode;
  public readonly pickerOptions: EndpointPickerOptions | undefined;
  private picker: { readonly serviceName: string; readonly port: number } | undefined;

  public constructor(scope: Construct, id: string, props: InferencePoolProps) {
    super(scope, id);
    this.poolName = resourceName(this, { explicit: props.name, maxLength: MAX_NAME_LENGTH });
    this.generation = props.generation ?? ApiGeneration.V1;
    this.backends = [...(props.backend === undefined ? [] : [props.backend]), ...(props.backends ?? [])];
    this.namespace = this.backends[0]?.namespace ?? Chart.of(this).namespace;
    this.podLabels = this.selectPods(props.selector);
    this.ports = this.checkedPorts(props.ports);
    this.hasObject = props.clusterHasInferencePool ?? true;
    this.failureMode = props.failureMode ?? FailureMode.FAIL_CLOSE;
    this.pickerOptions = props.picker;
    if (this.hasObject) this.emitObject(props);
    this.node.addValidation({ validate: () => this.missingPicker() });
  }

  public allowFrom(peer: NetworkPeer, reason: string): void {
    for (const backend of this.backends) backend.allowFrom(peer, reason);
  }

  public usePicker(serviceName: string, port: number): void {
    this.picker ??= { serviceName, port };
  }

  private missingPicker(): string[] {
    if (!this.hasObject || this.generation === ApiGeneration.V1 || this.picker !== undefined) return [];
    return [
      formatProblem({
        code: 'AIG464',
        what: `an InferencePool of ${this.generation.name} must name a picker of its own namespace, and no gateway gives it one`,
        fix: 'add the pool to a gateway of the same namespace with addModel, or use ApiGeneration.V1',
        where: this.node.path,
      }),
    ];
  }

  private emitObject(props: InferencePoolProps): ApiObject {
    return emit(this, 'Resource', {
      apiVersion: this.generation.poolApiVersion,
      kind: 'InferencePool',
      metadata: { name: this.poolName, namespace: this.namespace, labels: props.labels, annotations: props.annotations },
      body: () => ({ spec: poolSpec(this.generation, this.podLabels, this.ports, this.failureMode, this.picker) }),
      why: 'the pods that serve these models, for the picker and for the gateway',
    });
  }

  private selectPods(selector: InferencePoolProps['selector']): { readonly [key: string]: string } {
    const [first, ...others] = this.backends;
    if (first === undefined) {
      if (selector === undefined || Object.keys(selector).length === 0) {
        refuse(this, {
          code: 'AIG462',
          what: 'the pool has no pods',
          allowed: 'backend, backends or selector',
          fix: 'pass a VllmBackend, or the labels of pods that something else makes',
        });
      }
      return { ...selector };
    }
    const foreign = others.find((backend) => backend.namespace !== first.namespace);
    if (foreign !== undefined) {
      refuse(this, {
        code: 'AIG462',
        what: 'a pool selects pods of one namespace',
        value: `${first.namespace ?? 'none'} and ${foreign.namespace ?? 'none'}`,
        fix: 'put the backends into one namespace, or make a pool for each',
      });
    }
    if (selector === undefined && others.length === 0) return { ...first.podLabels };
    const labels = selector ?? { 'cdk8s-ai-gateway.dev/pool': this.poolName };
    for (const backend of this.backends) {
      for (const [key, value] of Object.entries(labels)) {
        if (backend.podLabels[key] !== value) backend.addPodLabel(key, value);
      }
    }
    return { ...labels };
  }

  private checkedPorts(given: readonly number[] | undefined): readonly number[] {
    const ports = given ?? this.backends[0]?.ports ?? [8000];
    const different = this.backends.find((backend) => given === undefined && backend.ports.join() !== ports.join());
    const most = this.generation === ApiGeneration.V1 ? 8 : 1;
    const valid = ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535);
    if (different !== undefined || !valid || ports.length === 0 || ports.length > most || new Set(ports).size !== ports.length) {
      refuse(this, {
        code: 'AIG463',
        what: different === undefined ? 'these ports do not fit a pool' : 'the backends of a pool listen on the same ports',
        value: different === undefined ? ports : [ports, different.ports],
        allowed: `1 to ${most} different port${most === 1 ? '' : 's'} from 1 to 65535 (${this.generation.name})`,
        fix: most === 1 ? 'use ApiGeneration.V1 for several ranks' : 'give every rank a port of its own, the same on all pods',
      });
    }
    return [...ports];
  }
}

class ImportedInferencePool extends Construct implements IInferencePool {
  public readonly poolName: string;
  public readonly namespace: string | undefined;
  public readonly generation: ApiGeneration;
  public readonly backends: readonly IModelBackend[] = [];
  public readonly podLabels: { readonly [key: string]: string };
  public readonly ports: readonly number[];
  public readonly hasObject = true;
  public readonly failureMode = FailureMode.FAIL_CLOSE;
  public readonly pickerOptions = undefined;

  public constructor(scope: Construct, id: string, attributes: InferencePoolAttributes) {
    super(scope, id);
    this.poolName = attributes.poolName;
    this.namespace = attributes.namespace ?? Chart.of(this).namespace;
    this.generation = attributes.generation ?? ApiGeneration.V1;
    this.podLabels = { ...attributes.podLabels };
    this.ports = attributes.ports ?? [8000];
  }

  /** The pods are somebody else's, and so are their NetworkPolicies. */
  public allowFrom(): void {}

  /** The object names its picker itself. */
  public usePicker(): void {}
}

/** What a picker has to know of `pool`. */
export function referenceTo(pool: IInferencePool): PoolReference {
  return {
    name: pool.poolName,
    namespace: pool.namespace,
    generation: pool.generation,
    installed: pool.hasObject,
    podLabels: pool.podLabels,
    ports: pool.ports,
  };
}
