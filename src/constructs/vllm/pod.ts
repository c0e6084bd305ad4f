import {
  type Container,
  containerSecurityContext,
  podTemplate,
  type Toleration,
  type Volume,
  type VolumeMount,
} from '../kube/pod-template';
import { type HttpProbeTarget, livenessProbe, readinessProbe, startupProbe } from '../kube/probes';
import { CACHE_PATH } from '../values/model-source';
import type { VllmBackendProps } from '../vllm-backend-props';
import { CHAT_TEMPLATE_PATH, engineArguments, SUPERVISOR_PORT, TLS_PATH } from './arguments';
import { type DrainOptions, drainHook, gracePeriodSeconds } from './drain';
import { engineEnvironment } from './environment';
import type { Parallelism } from './parallelism';
import { engineResources, type HostSizes } from './resources';

/** The image's own user; its group is 0, as is the custom for images that run under any user id. */
const VLLM_USER_ID = 2000;

const IMAGES: { readonly [vendor: string]: string } = {
  amd: 'vllm/vllm-openai-rocm:v0.30.0',
  google: 'vllm/vllm-tpu:v0.27.0',
};
const DEFAULT_IMAGE = 'vllm/vllm-openai:v0.30.0';

/** Everything that decides the pod, resolved. */
export interface EnginePodInput {
  readonly props: VllmBackendProps;
  readonly split: Parallelism;
  readonly ports: readonly number[];
  readonly podLabels: { readonly [key: string]: string };
  readonly selectorLabels: { readonly [key: string]: string };
  readonly servedModelNames: readonly string[];
  readonly gpuMemoryUtilizationRatio: number;
  readonly sizes: HostSizes;
  readonly drain: DrainOptions;
  readonly startupSeconds: number;
}

/** PodTemplateSpec of an engine. */
export function enginePod(input: EnginePodInput): object {
  const { props } = input;
  const bound = props.model._bound;
  const userId = props.runAsUser ?? (props.accelerator.rootless ? VLLM_USER_ID : 0);
  return podTemplate({
    labels: input.podLabels,
    annotations: props.podAnnotations ?? {},
    containers: [engineContainer(input)],
    initContainers: bound.initContainers,
    volumes: [...volumes(input), ...bound.volumes],
    rootless: userId !== 0,
    userId,
    terminationGracePeriodSeconds: gracePeriodSeconds(input.drain),
    nodeSelector: { ...props.accelerator.nodeLabels, ...props.nodeSelector },
    tolerations: tolerations(props),
    topologySpreadConstraints: props.spread === false ? [] : spread(input.selectorLabels),
    priorityClassName: props.priorityClassName,
    serviceAccountName: props.serviceAccountName,
    imagePullSecrets: props.imagePullSecrets ?? [],
  });
}

function engineContainer(input: EnginePodInput): Container {
  const { props } = input;
  const health: HttpProbeTarget = {
    path: '/health',
    // with several ranks the supervisor answers for all of them
    port: input.ports.length > 1 ? SUPERVISOR_PORT : 'http',
    tls: props.tlsSecret !== undefined,
  };
  return {
    name: 'vllm',
    image: props.image ?? IMAGES[props.accelerator.vendor] ?? DEFAULT_IMAGE,
    imagePullPolicy: props.imagePullPolicy ?? 'IfNotPresent',
    command: ['vllm', 'serve'],
    args: engineArguments({
      props,
      split: input.split,
      port: input.ports[0]!,
      gpuMemoryUtilizationRatio: input.gpuMemoryUtilizationRatio,
      servedModelNames: input.servedModelNames,
    }),
    env: engineEnvironment(props),
    ports: input.ports.map((containerPort, rank) => ({ name: portName(rank), containerPort })),
    volumeMounts: mounts(input),
    resources: engineResources(props, input.sizes),
    startupProbe: startupProbe(health, input.startupSeconds),
    readinessProbe: readinessProbe(health),
    livenessProbe: livenessProbe(health),
    lifecycle: drainHook(input.drain),
    securityContext: containerSecurityContext(),
  };
}

/** Name of a rank's port, in the pod and in the Service. */
export function portName(rank: number): string {
  return rank === 0 ? 'http' : `http-${rank}`;
}

function volumes({ props, sizes }: EnginePodInput): Volume[] {
  const claimName = props.cache?.claimName;
  const result: Volume[] = [
    { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: `${sizes.sharedMemoryGib}Gi` } },
    claimName === undefined
      ? { name: 'cache', emptyDir: { sizeLimit: `${sizes.diskGib}Gi` } }
      : { name: 'cache', persistentVolumeClaim: { claimName } },
  ];
  if (props.chatTemplate !== undefined) {
    const { configMapName, key } = props.chatTemplate;
    result.push({ name: 'chat-template', configMap: { name: configMapName, items: [{ key, path: 'template.jinja' }] } });
  }
  if (props.tlsSecret !== undefined) {
    // 0440: the group is the pod's fsGroup, so that a user who is not root can read it
    result.push({ name: 'tls', secret: { secretName: props.tlsSecret.name, defaultMode: 0o440 } });
  }
  return result;
}

function mounts({ props }: EnginePodInput): VolumeMount[] {
  const result: VolumeMount[] = [
    { name: 'shm', mountPath: '/dev/shm' },
    { name: 'cache', mountPath: CACHE_PATH },
    ...props.model._bound.mounts,
  ];
  if (props.chatTemplate !== undefined) result.push({ name: 'chat-template', mountPath: CHAT_TEMPLATE_PATH, readOnly: true });
  if (props.tlsSecret !== undefined) result.push({ name: 'tls', mountPath: TLS_PATH, readOnly: true });
  return result;
}

function tolerations(props: VllmBackendProps): Toleration[] {
  return [{ key: props.accelerator.taintKey, operator: 'Exists', effect: 'NoSchedule' }, ...(props.tolerations ?? [])];
}

/** Preferred, not required: with fewer nodes than replicas the others must still start. */
function spread(podLabels: { readonly [key: string]: string }): object[] {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: podLabels },
  }));
}
