import { parseFlags } from '../../../picker-config/flag-parser';
import { EMPTY_PICKER_POLICY, type PickerPolicy, type PoolEndpoints } from '../../../picker-config/picker-policy';
import { parsePickerPolicy } from '../../../picker-config/picker-policy-parser';
import type { Problem } from '../../../shared/problem';
import type { EnginePlan, EnginePlans } from './engine-plans';
import type { Container, KubeObjects, Workload } from './kube-objects';
import { mountedFile, mountedFolder } from './mounted-files';
import { type PoolObject, poolObject } from './pool-objects';

/** A pool as its picker knows it. */
export interface PoolPlan {
  readonly name: string;
  readonly namespace: string;
  readonly engines: readonly EnginePlan[];
}

/** One picker to run. */
export interface PickerPlan {
  /** Name of its workload. */
  readonly name: string;
  readonly namespace: string;
  /** Undefined for a picker that the manifests leave to others. */
  readonly workload: Workload | undefined;
  /** Flags as the manifests give them. */
  readonly flags: readonly string[];
  /** Files of its configuration, by the path that its container sees. */
  readonly files: ReadonlyMap<string, string>;
  /** Its EndpointPickerConfig. @default - none */
  readonly config: string | undefined;
  /** Scorers of the user that it loads. @default - none */
  readonly plugins: string | undefined;
  /** Its policy. Undefined for a picker of one pool that serves every model. */
  readonly policy: PickerPolicy | undefined;
  readonly pools: readonly PoolPlan[];
  /** Keys of clients by name, from a Secret in the manifests. Undefined when it is elsewhere. */
  readonly apiKeys: ReadonlyMap<string, string> | undefined;
}

const PICKER_FLAG = /^--?(pool-?name|policy-file|config-file|config-text)(=|$)/i;

/** The pickers that InferencePools refer to, and those pools of theirs that can be found. */
export class PickerPlans {
  public readonly problems: Problem[] = [];
  private readonly byWorkload = new Map<string, PickerPlan>();
  private readonly pools: readonly PoolObject[];

  public constructor(
    private readonly objects: KubeObjects,
    private readonly engines: EnginePlans,
    private readonly notice: (text: string) => void,
  ) {
    this.pools = objects.ofKind('InferencePool').map(poolObject);
    for (const pool of this.pools) this.ofPool(pool);
    for (const workload of objects.workloads) {
      const container = pickerContainer(workload);
      if (container !== undefined) this.ofWorkload(workload, container, undefined);
    }
  }

  public get all(): PickerPlan[] {
    return [...this.byWorkload.values()];
  }

  /** The picker of a pool; undefined when there is no such pool. */
  public forPool(namespace: string, name: string): { readonly picker: PickerPlan; readonly pool: PoolPlan } | undefined {
    const object = this.pools.find((pool) => pool.namespace === namespace && pool.name === name);
    const picker = object && this.ofPool(object);
    return object && picker && { picker, pool: this.poolPlan(object) };
  }

  /** The picker behind a Service. */
  public forService(namespace: string, name: string): PickerPlan | undefined {
    const service = this.objects.service(namespace, name);
    const workloads = service === undefined ? [] : this.objects.selected(service.namespace, service.selector);
    return this.all.find(({ workload }) => workload !== undefined && workloads.includes(workload));
  }

  private ofPool(pool: PoolObject): PickerPlan | undefined {
    const service = pool.picker && this.objects.service(pool.namespace, pool.picker.name);
    for (const workload of service === undefined ? [] : this.objects.selected(service.namespace, service.selector)) {
      const container = pickerContainer(workload);
      if (container !== undefined) return this.ofWorkload(workload, container, pool);
    }
    const key = `pool ${pool.namespace}/${pool.name}`;
    const known = this.byWorkload.get(key);
    if (known !== undefined) return known;
    this.notice(`no picker of InferencePool ${pool.namespace}/${pool.name} in the manifests: one with default scoring is run`);
    const plan: PickerPlan = {
      name: pool.picker?.name ?? `${pool.name}-picker`,
      namespace: pool.namespace,
      workload: undefined,
      flags: [`--pool-name=${pool.name}`],
      files: new Map(),
      config: undefined,
      plugins: undefined,
      policy: undefined,
      pools: [this.poolPlan(pool)],
      apiKeys: undefined,
    };
    this.byWorkload.set(key, plan);
    return plan;
  }

  /** @param pool the pool through which it was found */
  private ofWorkload(workload: Workload, container: Container, pool: PoolObject | undefined): PickerPlan | undefined {
    const key = `${workload.kind} ${workload.namespace}/${workload.name}`;
    const known = this.byWorkload.get(key);
    if (known !== undefined) return known;
    const flags = pickerArguments(workload, container);
    const { values } = parseFlags(flags);
    const files = new Map<string, string>();
    const read = (path: string | undefined): string | undefined => {
      const text = path === undefined ? undefined : this.file(workload, container, path);
      if (path !== undefined && text !== undefined) files.set(path, text);
      return text;
    };
    const policyFile = values.text('policy-file');
    const policyText = read(policyFile);
    const policy = policyText === undefined ? undefined : this.policy(policyText, `${workload.name}:${policyFile}`);
    if (policyFile !== undefined && policy === undefined) return undefined;
    const configFile = values.text('config-file');
    const config = configFile === undefined ? values.text('config-text') : read(configFile);
    const pluginFile = values.text('plugin-file');
    const directory = policy?.identity?.source === 'apiKeys' ? policy.identity.directory : undefined;
    const poolName = values.text('pool-name');
    const only = pool ?? this.pools.find(({ name, namespace }) => name === poolName && namespace === workload.namespace);
    const pools = policy?.pools.length
      ? policy.pools.map(({ name, endpoints }) => this.policyPool(name, endpoints, workload.namespace))
      : only === undefined
        ? []
        : [this.poolPlan(only)];
    if (pools.length === 0) {
      this.notice(`picker ${workload.namespace}/${workload.name} is left out: its pool is not in the manifests`);
      return undefined;
    }
    const plan: PickerPlan = {
      name: workload.name,
      namespace: workload.namespace,
      workload,
      flags,
      files,
      config,
      plugins: read(pluginFile),
      policy,
      pools,
      apiKeys: directory === undefined ? undefined : mountedFolder(this.objects, workload, container, directory),
    };
    this.byWorkload.set(key, plan);
    return plan;
  }

  private policy(text: string, file: string): PickerPolicy {
    const { policy, problems } = parsePickerPolicy(text, file);
    this.problems.push(...problems);
    return policy ?? EMPTY_PICKER_POLICY;
  }

  private file(workload: Workload, container: Container, path: string): string | undefined {
    const text = mountedFile(this.objects, workload, container, path);
    if (text === undefined) {
      this.problems.push({
        code: 'AIG602',
        what: `no ConfigMap of the manifests is mounted at ${path}`,
        fix: 'add the ConfigMap that the picker reads its configuration from',
        where: `${workload.kind} ${workload.namespace}/${workload.name}`,
      });
    }
    return text;
  }

  private policyPool(name: string, endpoints: PoolEndpoints, namespace: string): PoolPlan {
    return { name, namespace, engines: this.enginesOf(name, endpoints, namespace) };
  }

  private enginesOf(name: string, endpoints: PoolEndpoints, namespace: string): EnginePlan[] {
    switch (endpoints.kind) {
      case 'inferencePool': {
        const home = endpoints.namespace ?? namespace;
        const pool = this.pools.find((candidate) => candidate.name === endpoints.name && candidate.namespace === home);
        if (pool === undefined)
          this.notice(`pool '${name}' has no endpoints: InferencePool ${home}/${endpoints.name} is missing`);
        return pool === undefined ? [] : [...this.poolPlan(pool).engines];
      }
      case 'selector':
        return this.engines.selected(endpoints.namespace ?? namespace, endpoints.matchLabels, endpoints.ports);
      case 'dns':
        return endpoints.ports.flatMap((port) => this.engines.behindService(endpoints.host, namespace, port));
      case 'file':
        this.notice(`pool '${name}' has no endpoints: they are listed in a file of the cluster (${endpoints.path})`);
        return [];
    }
  }

  private poolPlan({ name, namespace, selector, ports }: PoolObject): PoolPlan {
    return { name, namespace, engines: this.engines.selected(namespace, selector, ports) };
  }
}

/** The container that runs a picker, known by its flags. */
export function pickerContainer({ containers }: Workload): Container | undefined {
  return containers.find(({ args = [] }) => args.some((argument) => PICKER_FLAG.test(argument)));
}

/** Arguments with the references to environment variables that a picker's Pod has. */
function pickerArguments(workload: Workload, { args = [] }: Container): string[] {
  const values: Readonly<Record<string, string>> = {
    NAMESPACE: workload.namespace,
    POD_NAMESPACE: workload.namespace,
    POD_NAME: `${workload.name}-0`,
  };
  return args.map((argument) => argument.replace(/\$\((\w+)\)/g, (whole, name: string) => values[name] ?? whole));
}
