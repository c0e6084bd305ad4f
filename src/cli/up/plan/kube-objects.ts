/** What `up` reads of a Kubernetes object; validation has checked the shapes before. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

interface FileItems {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

export interface Volume {
  readonly name: string;
  readonly configMap?: FileItems & { readonly name: string };
  readonly secret?: FileItems & { readonly secretName: string };
  readonly projected?: {
    readonly sources?: readonly {
      readonly configMap?: FileItems & { readonly name: string };
      readonly secret?: FileItems & { readonly name: string };
    }[];
  };
}

/** Pods that look alike: a Deployment, a StatefulSet or a single Pod. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Labels of the nodes that it may run on. */
  readonly nodeSelector: Labels;
  /** Undefined when something else, an autoscaler say, chooses the number. */
  readonly replicas: number | undefined;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface PodSpec {
  readonly nodeSelector?: Labels;
  readonly containers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: { readonly metadata?: { readonly labels?: Labels }; readonly spec?: PodSpec };
}

export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly selector: Labels | undefined;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string }[];
}

const DEFAULT_NAMESPACE = 'default';

/** The objects of all manifests, found by what refers to them. */
export class KubeObjects {
  public readonly workloads: readonly Workload[];
  private readonly services: readonly Service[];

  public constructor(private readonly objects: readonly KubeObject[]) {
    this.workloads = objects.flatMap((object) => workload(object) ?? []);
    this.services = this.ofKind('Service').map(service);
  }

  public ofKind(kind: string): KubeObject[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  public find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.find(
      (object) => object.kind === kind && object.metadata.name === name && namespaceOf(object) === namespace,
    );
  }

  public service(namespace: string, name: string): Service | undefined {
    return this.services.find((candidate) => candidate.namespace === namespace && candidate.name === name);
  }

  /** The Service behind a name of the cluster's DNS: `llama`, `llama.ai`, `llama.ai.svc`, `llama.ai.svc.cluster.local`. */
  public serviceAt(host: string, namespace: string): Service | undefined {
    const [name, second] = host.replace(/\.$/, '').split('.');
    return this.service(second ?? namespace, name!);
  }

  /** Workloads whose pods have all these labels; none for an empty selector, which would mean every pod. */
  public selected(namespace: string, selector: Labels | undefined): Workload[] {
    const wanted = Object.entries(selector ?? {});
    if (wanted.length === 0) return [];
    return this.workloads.filter(
      (candidate) => candidate.namespace === namespace && wanted.every(([key, value]) => candidate.labels[key] === value),
    );
  }
}

export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? DEFAULT_NAMESPACE;
}

function workload(object: KubeObject): Workload | undefined {
  if (object.kind === 'Pod') return fromPod(object, object.metadata.labels, 1, object.spec as PodSpec | undefined);
  if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet') return undefined;
  const { replicas, template } = (object.spec ?? {}) as WorkloadSpec;
  return fromPod(object, template?.metadata?.labels, replicas, template?.spec);
}

function fromPod(
  object: KubeObject,
  labels: Labels | undefined,
  replicas: number | undefined,
  spec: PodSpec | undefined,
): Workload {
  return {
    kind: object.kind,
    name: object.metadata.name,
    namespace: namespaceOf(object),
    labels: labels ?? {},
    nodeSelector: spec?.nodeSelector ?? {},
    replicas,
    containers: spec?.containers ?? [],
    volumes: spec?.volumes ?? [],
  };
}

function service(object: KubeObject): Service {
  const { selector, ports } = (object.spec ?? {}) as { selector?: Labels; ports?: Service['ports'] };
  return { name: object.metadata.name, namespace: namespaceOf(object), selector, ports: ports ?? [] };
}
