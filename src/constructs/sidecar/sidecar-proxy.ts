import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { emit, type ObjectMetadata } from '../internal/emit';
import { configDigest } from '../kube/config-digest';
import { disruptionBudgetSpec } from '../kube/disruption-budget';
import { networkPolicySpec } from '../kube/network-policy';
import { type Container, containerSecurityContext, podTemplate, type Volume, type VolumeMount } from '../kube/pod-template';
import { readinessProbe, startupProbe } from '../kube/probes';
import { emitAccess } from '../kube/rbac';
import type { NetworkPeer, SecretKey } from '../model-backend';
import { emitPeerService, peerIngress, peerServiceName } from '../picker/exposure';
import type { PickerInput } from '../picker/input';
import type { EndpointPickerOptions } from '../picker/options';
import { PICKER_USER_ID, pickerPod } from '../picker/pod';
import { EXT_PROC_PORT, METRICS_PORT } from '../picker/ports';
import { type BootstrapInput, LISTEN_PORT, STATUS_PORT } from './bootstrap-input';
import { envoyBootstrap } from './envoy-bootstrap';

/** The Envoy whose configuration this library writes and tests. */
export const ENVOY_IMAGE = 'docker.io/envoyproxy/envoy:distroless-v1.40.0';

/** Port of the proxy's Service. */
export const PROXY_SERVICE_PORT = 80;

const MONITORING: NetworkPeer = { namespaceLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };

/** How the proxy of sidecar mode is run. Its replicas are the picker's: both are in one pod. */
export interface SidecarProxyOptions {
  /** Image of Envoy. @default - Envoy 1.40, distroless */
  readonly image?: string;
  /** Cores requested for Envoy. @default '250m' */
  readonly cpuRequest?: string;
  /** Memory requested for Envoy. @default '256Mi' */
  readonly memoryRequest?: string;
  /** Memory limit of Envoy. @default '1Gi' */
  readonly memoryLimit?: string;
  /**
   * How long a pod that is told to stop goes on serving the answers that run through it, in seconds; longer ones are cut.
   * Needs Kubernetes 1.30.
   * @default 300
   */
  readonly drainSeconds?: number;
}

/** A pool behind the proxy. */
export interface ProxiedPool {
  readonly name: string;
  /** DNS name of its headless Service. */
  readonly host: string;
  readonly ports: readonly number[];
  readonly tls: boolean;
  /** Key that its engines ask for; in the proxy's namespace. */
  readonly apiKey: SecretKey | undefined;
}

export interface SidecarProxyProps {
  readonly name: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly options: SidecarProxyOptions;
  readonly picker: EndpointPickerOptions;
  readonly pickerInput: Omit<PickerInput, 'name' | 'namespace' | 'secureServing' | 'electLeader' | 'peerService'>;
  readonly pools: readonly ProxiedPool[];
  readonly traffic: Omit<BootstrapInput, 'pools'>;
  /** Annotations of the Service that the route points at. */
  readonly serviceAnnotations: { readonly [key: string]: string };
  /** The gateway's pods. */
  readonly gatewayPeer: NetworkPeer;
}

/**
 * The proxy of sidecar mode: Envoy and the picker in one pod. Every request of every model comes through it, so that the body's
 * model can choose the pool and the picker the pod in one step, on any gateway.
 */
export class SidecarProxy extends Construct {
  public readonly serviceName: string;
  public readonly podLabels: { readonly [key: string]: string };

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: SidecarProxyProps,
  ) {
    super(scope, id);
    this.serviceName = props.name;
    this.podLabels = { 'app.kubernetes.io/name': 'ai-gateway-proxy', 'app.kubernetes.io/instance': props.name };
    const picker = pickerPod(this, props.picker, {
      ...props.pickerInput,
      name: props.name,
      namespace: props.namespace,
      secureServing: false,
      // every replica has its own picker and asks only that one
      electLeader: false,
      peerService: this.hasPeers ? peerServiceName(props.name) : undefined,
    });
    const account = emitAccess(this, {
      metadata: this.metadata(),
      access: picker.access,
      purpose: 'the picker beside the proxy',
    });
    const config = emit(this, 'Bootstrap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...this.metadata(), name: `${props.name}-envoy` },
      body: { data: { 'envoy.yaml': this.bootstrap() } },
      why: 'configuration of the proxy: one cluster for each pool, chosen by the picker',
    });
    const drainSeconds = props.options.drainSeconds ?? 300;
    emit(this, 'Deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: this.metadata(),
      body: () => ({
        spec: {
          replicas: props.replicas,
          selector: { matchLabels: this.podLabels },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: podTemplate({
            labels: { ...this.podLabels, ...props.picker.podLabels },
            annotations: {
              ...props.picker.podAnnotations,
              ...picker.annotations(),
              'cdk8s-ai-gateway.dev/envoy-config-sha256': configDigest(config),
            },
            initContainers: [],
            containers: [this.envoyContainer(drainSeconds), this.drained(picker.container(), drainSeconds)],
            volumes: [{ name: 'envoy-config', configMap: { name: config.name } }, ...this.keyVolumes(), ...picker.volumes()],
            rootless: true,
            userId: PICKER_USER_ID,
            terminationGracePeriodSeconds: Math.max(drainSeconds + 15, picker.terminationGracePeriodSeconds),
            nodeSelector: props.picker.nodeSelector ?? {},
            tolerations: props.picker.tolerations ?? [],
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: this.podLabels },
              },
            ],
            priorityClassName: props.picker.priorityClassName,
            serviceAccountName: account,
            imagePullSecrets: (props.picker.imagePullSecrets ?? []).map(({ name }) => name),
          }),
        },
      }),
      why: 'Envoy with the picker as its sidecar: reads the model, chooses pool and pod, streams the answer',
    });
    this.emitService();
    if (this.hasPeers) emitPeerService(this, this.metadata(), this.podLabels);
    this.emitProtection();
  }

  /** Each pod has a picker, and they tell each other what they have under way. */
  private get hasPeers(): boolean {
    return this.props.replicas > 1;
  }

  private metadata(): ObjectMetadata & { readonly namespace: string } {
    return { name: this.props.name, namespace: this.props.namespace, labels: this.podLabels };
  }

  private envoyContainer(drainSeconds: number): Container {
    const { options } = this.props;
    const status = { path: '/ready', port: 'status', tls: false };
    const mounts: VolumeMount[] = [{ name: 'envoy-config', mountPath: '/etc/envoy', readOnly: true }];
    for (const pool of this.keyedPools()) mounts.push({ name: `key-${pool.name}`, mountPath: keyFolder(pool), readOnly: true });
    return {
      name: 'envoy',
      image: options.image ?? ENVOY_IMAGE,
      args: ['--config-path', '/etc/envoy/envoy.yaml', '--log-level', 'warning', '--drain-time-s', String(drainSeconds)],
      ports: [
        { name: 'http', containerPort: LISTEN_PORT },
        { name: 'status', containerPort: STATUS_PORT },
      ],
      resources: {
        requests: { cpu: options.cpuRequest ?? '250m', memory: options.memoryRequest ?? '256Mi' },
        limits: { memory: options.memoryLimit ?? '1Gi' },
      },
      startupProbe: startupProbe(status, 60),
      readinessProbe: readinessProbe(status),
      // Envoy ends at once on SIGTERM. The pod leaves its Service when the sleep begins, and the answers that run get this long.
      lifecycle: { preStop: { sleep: { seconds: drainSeconds } } },
      securityContext: { ...containerSecurityContext(), readOnlyRootFilesystem: true },
      volumeMounts: mounts,
    };
  }

  /** The picker must not stop before the proxy: a request without it fails. */
  private drained(container: Container, drainSeconds: number): Container {
    return { ...container, lifecycle: { preStop: { sleep: { seconds: drainSeconds } } } };
  }

  private keyedPools(): readonly ProxiedPool[] {
    return this.props.pools.filter((pool) => pool.apiKey !== undefined);
  }

  private keyVolumes(): Volume[] {
    return this.keyedPools().map((pool) => ({
      name: `key-${pool.name}`,
      secret: { secretName: pool.apiKey!.secretName, defaultMode: 0o440 },
    }));
  }

  private bootstrap(): string {
    const pools = this.props.pools.map(({ apiKey, ...pool }) => ({
      ...pool,
      ...(apiKey === undefined ? {} : { apiKeyFile: `${keyFolder(pool)}/${apiKey.key}` }),
    }));
    return stringify(envoyBootstrap({ ...this.props.traffic, pools }), { lineWidth: 0, aliasDuplicateObjects: false });
  }

  private emitService(): void {
    emit(this, 'Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...this.metadata(), annotations: this.props.serviceAnnotations },
      body: {
        spec: {
          selector: this.podLabels,
          ports: [
            { name: 'http', port: PROXY_SERVICE_PORT, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
            {
              name: 'grpc-ext-proc',
              port: EXT_PROC_PORT,
              targetPort: EXT_PROC_PORT,
              protocol: 'TCP',
              appProtocol: 'kubernetes.io/h2c',
            },
            { name: 'http-metrics', port: METRICS_PORT, targetPort: METRICS_PORT, protocol: 'TCP' },
            { name: 'http-status', port: STATUS_PORT, targetPort: 'status', protocol: 'TCP' },
          ],
        },
      },
      why: 'where the model route sends its requests',
    });
  }

  private emitProtection(): void {
    if (this.props.replicas >= 2) {
      emit(this, 'DisruptionBudget', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: this.metadata(),
        body: { spec: disruptionBudgetSpec(this.podLabels) },
        why: 'keeps a proxy running while nodes are drained',
      });
    }
    const rules = (peer: NetworkPeer, ports: readonly number[]): { readonly ingress: readonly object[] } =>
      networkPolicySpec({ podLabels: this.podLabels, peers: [peer], ports, egress: true }) as { ingress: readonly object[] };
    const requests = rules(this.props.gatewayPeer, [LISTEN_PORT]);
    const metrics = rules(MONITORING, [METRICS_PORT, STATUS_PORT]);
    const peers = this.hasPeers ? peerIngress(this.podLabels) : [];
    emit(this, 'NetworkPolicy', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: this.metadata(),
      body: { spec: { ...requests, ingress: [...requests.ingress, ...metrics.ingress, ...peers] } },
      why: 'lets only the gateway send requests to the proxy, and monitoring read its metrics',
    });
  }
}

function keyFolder(pool: { readonly name: string }): string {
  return `/etc/engine-keys/${pool.name}`;
}
