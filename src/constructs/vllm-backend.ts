import { type ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { emit, type ObjectMetadata, warn } from './internal/emit';
import { refuse, refuseAll } from './internal/errors';
import { resourceName } from './internal/names';
import { disruptionBudgetSpec } from './kube/disruption-budget';
import { networkPolicySpec, samePeer } from './kube/network-policy';
import type { IModelBackend, NetworkPeer, SecretKey } from './model-backend';
import { checkModelSpec } from './values/model-catalogue/catalogue';
import { type DrainOptions, gracePeriodSeconds } from './vllm/drain';
import { type BackendPlan, DEFAULT_UTILIZATION_RATIO, planBackend } from './vllm/plan';
import { enginePod, portName } from './vllm/pod';
import { hostSizes } from './vllm/resources';
import { startupBudget } from './vllm/startup-budget';
import type { VllmBackendProps } from './vllm-backend-props';

/** Longest name: a Deployment's pods are called `<name>-<10>-<5>`, and that must be a label of 63 characters with room to spare. */
const MAX_NAME_LENGTH = 52;
const BACKEND_LABEL = 'cdk8s-ai-gateway.dev/backend';
/** Annotation of the NetworkPolicy that says what its peers come for. */
const INGRESS_ANNOTATION = 'cdk8s-ai-gateway.dev/ingress';
const MONITORING: NetworkPeer = { namespaceLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };

/**
 * Pods that serve one model with vLLM: a Deployment, a headless Service, and, unless turned off, a NetworkPolicy and a
 * PodDisruptionBudget. The engine answers to the names of all models that refer to it.
 *
 * @throws AIG410–AIG437, all that is wrong at once
 */
export class VllmBackend extends Construct implements IModelBackend {
  public readonly namespace: string | undefined;
  public readonly podLabels: { readonly [key: string]: string };
  public readonly ports: readonly number[];
  public readonly adapters: readonly string[];
  public readonly tls: boolean;
  public readonly apiKey: SecretKey | undefined;
  public readonly longestAnswerSeconds: number;
  /** Name of the Deployment. */
  public readonly deploymentName: string;
  /** Name of the headless Service, whose DNS name has an address for each ready pod. */
  public readonly serviceName: string;
  public readonly headlessServiceName: string;
  /** Accelerators of all replicas. */
  public readonly acceleratorCount: number;

  private readonly props: VllmBackendProps;
  private readonly plan: BackendPlan;
  private readonly modelNames: string[] = [];
  private readonly extraPodLabels: Record<string, string> = {};
  private readonly peers: NetworkPeer[] = [];
  private readonly peerReasons = new Set<string>();
  private readonly policy: ApiObject | undefined;

  public constructor(scope: Construct, id: string, props: VllmBackendProps) {
    super(scope, id);
    this.props = props;
    this.deploymentName = resourceName(this, { explicit: props.name, maxLength: MAX_NAME_LENGTH });
    this.serviceName = this.deploymentName;
    this.headlessServiceName = this.serviceName;
    this.podLabels = { [BACKEND_LABEL]: this.deploymentName };
    if (props.modelSpec !== undefined) checkModelSpec(props.modelSpec);
    this.plan = planBackend(props);
    refuseAll(this, this.plan.problems);
    for (const warning of this.plan.warnings) warn(this, warning);
    const port = props.port ?? 8000;
    this.ports = Array.from({ length: this.plan.split.data }, (_, rank) => port + rank);
    this.adapters = (props.adapters ?? []).map((adapter) => adapter.name);
    this.tls = props.tlsSecret !== undefined;
    this.apiKey = props.apiKey;
    this.longestAnswerSeconds = (props.longestAnswer ?? Duration.minutes(10)).toSeconds();
    this.acceleratorCount = props.accelerator.count * (props.replicas ?? 1);

    this.emitDeployment();
    this.namespace = this.emitService();
    if (props.disruptionBudget ?? (props.replicas ?? 1) > 1) this.emitDisruptionBudget();
    if (props.networkPolicy !== false) {
      this.policy = this.emitNetworkPolicy();
      for (const peer of props.monitoring ?? [MONITORING]) this.allowFrom(peer, 'scrapes metrics');
    }
  }

  /** The names that the engine answers to, the first is the one in its metrics. */
  public get servedModelNames(): string[] {
    if (this.props.servedModelNames !== undefined) return [...this.props.servedModelNames];
    const own = this.props.model.modelId ?? (this.modelNames.length === 0 ? this.deploymentName : undefined);
    return [...new Set([...this.modelNames, ...(own === undefined ? [] : [own])])];
  }

  public serveAs(name: string): string {
    if (this.adapters.includes(name)) return name;
    const fixed = this.props.servedModelNames;
    if (fixed !== undefined) return fixed.includes(name) ? name : fixed[0]!;
    if (name.length === 0 || /\s/.test(name) || name.startsWith('-')) {
      refuse(this, {
        code: 'AIG418',
        what: 'the engine cannot serve under this name',
        value: name,
        allowed: "a name without spaces that does not begin with '-'",
        fix: 'rename the model',
      });
    }
    if (!this.modelNames.includes(name)) this.modelNames.push(name);
    return name;
  }

  public addPodLabel(key: string, value: string): void {
    this.extraPodLabels[key] = value;
  }

  public allowFrom(peer: NetworkPeer, reason: string): void {
    this.peerReasons.add(reason);
    this.policy?.metadata.addAnnotation(INGRESS_ANNOTATION, [...this.peerReasons].join('; '));
    if (!this.peers.some((known) => samePeer(known, peer))) this.peers.push(peer);
  }

  private metadata(): ObjectMetadata {
    const { labels, annotations } = this.props;
    return {
      name: this.deploymentName,
      labels: { ...labels, 'app.kubernetes.io/name': 'vllm', 'app.kubernetes.io/instance': this.deploymentName },
      annotations,
    };
  }

  private emitDeployment(): void {
    const { props } = this;
    const drain: DrainOptions = {
      ports: this.ports,
      tls: this.tls,
      delaySeconds: (props.drainDelay ?? Duration.seconds(15)).toSeconds(),
      longestAnswerSeconds: this.longestAnswerSeconds,
    };
    const { weightBytes, split } = this.plan;
    const budget = startupBudget(
      weightBytes,
      props.model._bound,
      props.sourceMegabytesPerSecond,
      props.startupTimeout?.toSeconds(),
      gracePeriodSeconds(drain),
    );
    const sizes = hostSizes(props, weightBytes);
    const metadata = this.metadata();
    emit(this, 'Resource', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      why: 'runs the engines, each with the whole model on its accelerators',
      body: () => ({
        spec: {
          replicas: props.replicas ?? 1,
          revisionHistoryLimit: 3,
          progressDeadlineSeconds: budget.progressSeconds,
          strategy: {
            type: 'RollingUpdate',
            rollingUpdate: { maxSurge: props.surgeReplicas ?? 0, maxUnavailable: (props.surgeReplicas ?? 0) > 0 ? 0 : 1 },
          },
          selector: { matchLabels: this.podLabels },
          template: enginePod({
            props,
            split,
            ports: this.ports,
            podLabels: { ...metadata.labels, ...this.extraPodLabels, ...this.podLabels, 'llm-d.ai/engine-type': 'vllm' },
            selectorLabels: this.podLabels,
            servedModelNames: this.servedModelNames,
            gpuMemoryUtilizationRatio: props.gpuMemoryUtilizationRatio ?? DEFAULT_UTILIZATION_RATIO,
            sizes,
            drain,
            startupSeconds: budget.startupSeconds,
          }),
        },
      }),
    });
  }

  private emitService(): string | undefined {
    const service = emit(this, 'Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.metadata(),
      why: 'gives routers the address of each ready engine; headless, because they choose the engine themselves',
      body: {
        spec: {
          clusterIP: 'None',
          selector: this.podLabels,
          ports: this.ports.map((port, rank) => ({
            name: portName(rank),
            port,
            targetPort: port,
            protocol: 'TCP',
            appProtocol: this.tls ? 'https' : 'http',
          })),
        },
      },
    });
    return service.metadata.namespace;
  }

  private emitDisruptionBudget(): void {
    emit(this, 'DisruptionBudget', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: this.metadata(),
      why: 'a node drain takes one engine at a time',
      body: { spec: disruptionBudgetSpec(this.podLabels) },
    });
  }

  private emitNetworkPolicy(): ApiObject {
    return emit(this, 'NetworkPolicy', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: this.metadata(),
      why: "the engine's port has no access control of its own: only routers and monitoring may connect",
      body: () => ({
        spec: networkPolicySpec({
          podLabels: this.podLabels,
          peers: this.peers,
          ports: this.ports,
          egress: this.props.egress ?? true,
        }),
      }),
    });
  }
}
