import { type ApiObject, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { formatProblem } from '../shared/problem';
import { emit, type ObjectMetadata } from './internal/emit';
import { resourceName } from './internal/names';
import type { PoolReference } from './internal/pool-reference';
import { disruptionBudgetSpec } from './kube/disruption-budget';
import { samePeer } from './kube/network-policy';
import { podTemplate } from './kube/pod-template';
import { emitAccess } from './kube/rbac';
import type { NetworkPeer } from './model-backend';
import { emitNetworkPolicy, emitPeerService, emitService, emitServiceMonitor, peerServiceName } from './picker/exposure';
import type { PolicyInput } from './picker/input';
import type { EndpointPickerOptions } from './picker/options';
import { PICKER_USER_ID, type PickerPod, pickerPod } from './picker/pod';
import { EXT_PROC_PORT } from './picker/ports';
import { PickerProgram } from './values/picker-program';

export type { EndpointPickerOptions, PickerResources } from './picker/options';

/** Longest name that leaves room for `-bundle-<digest>-<part>` and for what gateways derive from the Service. */
const MAX_NAME_LENGTH = 40;
/**
 * A pod leaves its Service when it is deleted, and a gateway's control plane tells its proxies of that some seconds later. Until then they
 * still ask it, and without an answer requests fail: SIGTERM comes after this time.
 */
const LEAVE_SECONDS = 10;

/** Properties of {@link EndpointPicker}. */
export interface EndpointPickerProps extends EndpointPickerOptions {
  /** The pool whose endpoints it chooses among. */
  readonly pool: PoolReference;
  /** Whether a NetworkPolicy lets in only those that {@link EndpointPicker.allowFrom} names. @default true */
  readonly networkPolicy?: boolean;
  /** Who may scrape metrics. @default - pods of the namespace `monitoring` */
  readonly monitoring?: NetworkPeer[];
  /** Whether there is a ServiceMonitor, for clusters that run the Prometheus Operator. @default false */
  readonly serviceMonitor?: boolean;
  /** Labels by which the Prometheus of the cluster selects its ServiceMonitors. @default - none */
  readonly serviceMonitorLabels?: { readonly [key: string]: string };
  /** Set by a gateway whose models and limits the picker enforces. @internal */
  readonly _policy?: PolicyInput;
}

/**
 * An endpoint picker as a Deployment of its own, which a gateway asks over ext_proc for every request to one pool.
 *
 * All its objects are in the namespace of the pool, where gateways look for the picker of a pool.
 *
 * @throws AIG441 to AIG449 and AIG454 for options that do not fit together, AIG445 when the namespace is not known
 */
export class EndpointPicker extends Construct {
  /** The options, with the picker of the llm-d project instead of this project's. */
  public static llmd(options: EndpointPickerOptions = {}): EndpointPickerOptions {
    return { ...options, program: PickerProgram.LLMD };
  }

  /** Name of the Service that a gateway asks. */
  public readonly serviceName: string;
  /** Undefined when neither the pool nor the chart sets one. */
  public readonly namespace: string | undefined;
  /** Port of ext_proc on that Service. */
  public readonly port = EXT_PROC_PORT;
  /** True when the picker speaks TLS with a certificate that nobody can verify. */
  public readonly secureServing: boolean;
  /** Number of pods. */
  public readonly replicas: number;
  /** Labels that the picker's pods carry, and no others in the namespace. */
  public readonly podLabels: { readonly [key: string]: string };

  private readonly callers: NetworkPeer[] = [];

  public constructor(scope: Construct, id: string, props: EndpointPickerProps) {
    super(scope, id);
    this.serviceName = resourceName(this, { explicit: props.name, maxLength: MAX_NAME_LENGTH });
    this.namespace = props.pool.namespace ?? Chart.of(this).namespace;
    this.podLabels = { 'app.kubernetes.io/name': 'endpoint-picker', 'app.kubernetes.io/instance': this.serviceName };
    this.secureServing = props.secureServing ?? true;
    this.replicas = props.replicas ?? 2;
    const isLlmd = props.program === PickerProgram.LLMD;
    // one leader serves, the others stand by
    const electLeader = isLlmd && this.replicas > 1;
    const hasPeers = !isLlmd && this.replicas > 1;

    const pod = pickerPod(this, props, {
      ...props._policy,
      name: this.serviceName,
      namespace: this.namespace,
      pools: [props.pool],
      secureServing: this.secureServing,
      electLeader,
      peerService: hasPeers ? peerServiceName(this.serviceName) : undefined,
    });
    const metadata = {
      name: this.serviceName,
      namespace: this.namespace,
      labels: { ...props.labels, ...this.podLabels },
      annotations: props.annotations,
    };
    // pickerPod has refused an unknown namespace
    const account = emitAccess(this, {
      metadata: { ...metadata, namespace: this.namespace! },
      access: pod.access,
      purpose: 'the picker',
    });
    this.emitDeployment(props, metadata, pod, account, electLeader);
    emitService(this, metadata, this.podLabels, this.secureServing);
    if (hasPeers) emitPeerService(this, metadata, this.podLabels);
    // Only the leader is ready, so a budget would count one pod of two and never let the leader's node be drained.
    if (!electLeader && this.replicas > 1) this.emitBudget(metadata);
    if (props.networkPolicy ?? true) {
      const monitoring = props.monitoring ?? [{ namespaceLabels: { 'kubernetes.io/metadata.name': 'monitoring' } }];
      emitNetworkPolicy(this, metadata, this.podLabels, () => this.callers, monitoring, hasPeers);
      this.node.addValidation({ validate: () => this.unreachable() });
    }
    if (props.serviceMonitor ?? false) emitServiceMonitor(this, metadata, this.podLabels, props.serviceMonitorLabels ?? {});
  }

  /** Opens port 9002 in the NetworkPolicy, if there is one, for `peer`. */
  public allowFrom(peer: NetworkPeer): void {
    if (!this.callers.some((caller) => samePeer(caller, peer))) this.callers.push(peer);
  }

  private emitDeployment(
    props: EndpointPickerProps,
    metadata: ObjectMetadata,
    pod: PickerPod,
    serviceAccountName: string,
    electLeader: boolean,
  ): ApiObject {
    return emit(this, 'Resource', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      why: `chooses an endpoint of pool ${props.pool.name} for every request`,
      body: () => ({
        spec: {
          replicas: this.replicas,
          // A standby never becomes ready beside a leader, so waiting for ready pods would wait for ever. Starting all of the
          // next version at once is shorter than Recreate, which first waits until the old leader has drained.
          strategy: {
            type: 'RollingUpdate',
            rollingUpdate: electLeader ? { maxUnavailable: '100%', maxSurge: '100%' } : { maxUnavailable: 0, maxSurge: 1 },
          },
          selector: { matchLabels: this.podLabels },
          template: podTemplate({
            labels: { ...props.podLabels, ...this.podLabels },
            annotations: { ...props.podAnnotations, ...pod.annotations() },
            containers: [{ ...pod.container(), lifecycle: { preStop: { sleep: { seconds: LEAVE_SECONDS } } } }],
            initContainers: [],
            volumes: pod.volumes(),
            rootless: true,
            userId: PICKER_USER_ID,
            terminationGracePeriodSeconds: LEAVE_SECONDS + pod.terminationGracePeriodSeconds,
            nodeSelector: props.nodeSelector ?? {},
            tolerations: props.tolerations ?? [],
            topologySpreadConstraints: this.spread(),
            priorityClassName: props.priorityClassName,
            serviceAccountName,
            imagePullSecrets: (props.imagePullSecrets ?? []).map(({ name }) => name),
          }),
        },
      }),
    });
  }

  private emitBudget(metadata: ObjectMetadata): ApiObject {
    return emit(this, 'DisruptionBudget', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      why: 'keeps a node drain from taking all pickers at once',
      body: { spec: disruptionBudgetSpec(this.podLabels) },
    });
  }

  /** Apart from each other as far as the cluster has room. */
  private spread(): object[] {
    if (this.replicas === 1) return [];
    return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: this.podLabels },
    }));
  }

  private unreachable(): string[] {
    if (this.callers.length > 0) return [];
    return [
      formatProblem({
        code: 'AIG457',
        what: 'the NetworkPolicy of the picker lets nobody ask it',
        fix: 'call allowFrom() with the pods of the gateway, or set networkPolicy: false',
        where: this.node.path,
      }),
    ];
  }
}
