import type { EngineProfile } from '../../../simulation/engine/core/profile';
import { presetOf } from './engine-preset';
import type { KubeObjects, Labels, Workload } from './kube-objects';
import { engineArguments, engineContainer } from './vllm-arguments';

/** One engine to simulate: a pod and one of its ports. */
export interface EnginePlan {
  /** Unique: the pod's name, with the port where the pod has several. */
  readonly name: string;
  readonly namespace: string;
  /** The port in the manifests; on loopback it has another. */
  readonly containerPort: number;
  readonly labels: Labels;
  readonly models: readonly string[];
  readonly adapters: Readonly<Record<string, string>>;
  readonly profile: Partial<EngineProfile>;
}

/** Data-parallel ranks listen on consecutive ports; an InferencePool allows eight. */
const MAX_RANKS = 8;

/** The engines of all pools, each of them once however many pools share it. */
export class EnginePlans {
  public readonly all = new Map<string, EnginePlan>();

  /** @param notice is told what is run in another way than the manifests say */
  public constructor(
    private readonly objects: KubeObjects,
    private readonly maxReplicas: number,
    /** Of engines whose nodes are not named. @default an engine of no accelerator in particular */
    private readonly accelerator: string | undefined,
    private readonly notice: (text: string) => void,
  ) {}

  /** Engines of the pods with these labels, one for each replica and port. */
  public selected(namespace: string, selector: Labels | undefined, ports: readonly number[]): EnginePlan[] {
    return this.objects
      .selected(namespace, selector)
      .flatMap((workload) => ports.flatMap((port) => this.ofWorkload(workload, port, ports.length > 1)));
  }

  /** Engines behind a Service's port. */
  public behindService(host: string, namespace: string, port: number): EnginePlan[] {
    const service = this.objects.serviceAt(host, namespace);
    if (service === undefined) return [];
    const entry = service.ports.find((candidate) => candidate.port === port);
    const target = typeof entry?.targetPort === 'number' ? entry.targetPort : port;
    return this.selected(service.namespace, service.selector, [target]);
  }

  private ofWorkload(workload: Workload, port: number, severalPorts: boolean): EnginePlan[] {
    const container = engineContainer(workload.containers);
    const engine = engineArguments(container ?? { name: '' });
    const { models, adapters, port: listens } = engine;
    const title = `${workload.kind} ${workload.namespace}/${workload.name}`;
    if (listens !== undefined && (port < listens || port >= listens + MAX_RANKS)) {
      this.notice(`${title} listens on port ${listens}, but is asked on port ${port}: no engine there`);
      return [];
    }
    const wanted = workload.replicas ?? 1;
    const count = Math.min(wanted, this.maxReplicas);
    if (count < wanted) this.notice(`${title} has ${wanted} replicas, ${count} are simulated (--replicas-max)`);
    if (models.length === 0) this.notice(`${title} does not say which model it serves: '${workload.name}' is taken`);
    const profile = presetOf(engine, workload, this.accelerator, this.notice);
    return Array.from({ length: count }, (_, index) => {
      const name = `${workload.name}-${index}${severalPorts ? `-${port}` : ''}`;
      const key = `${workload.namespace}/${name}:${port}`;
      const known = this.all.get(key);
      if (known !== undefined) return known;
      const plan: EnginePlan = {
        name,
        namespace: workload.namespace,
        containerPort: port,
        labels: workload.labels,
        models: models.length > 0 ? models : [workload.name],
        adapters,
        profile,
      };
      this.all.set(key, plan);
      return plan;
    });
  }
}
