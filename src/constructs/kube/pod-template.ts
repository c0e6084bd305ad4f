/**
 * The part of `core/v1` that the constructs emit, as data. cdk8s-plus' own classes are not used: their defaults (a memory limit of
 * 2 GiB, a startup probe of 30 s, a read-only root) are fatal to an engine, and they cannot ask for a GPU.
 */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

/** One volume of a pod: a name and exactly one source, as Kubernetes spells it. */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: 'Memory'; readonly sizeLimit?: string };
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
  readonly image?: { readonly reference: string; readonly pullPolicy?: string };
  readonly configMap?: { readonly name: string; readonly items?: readonly { readonly key: string; readonly path: string }[] };
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number };
  /** Several sources in one folder, each as Kubernetes spells it. */
  readonly projected?: { readonly sources: readonly object[] };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** A taint that a pod may be scheduled beside, as Kubernetes spells it. */
export interface Toleration {
  /** Key of the taint. */
  readonly key: string;
  /** `Exists` or `Equal`. @default Exists */
  readonly operator?: string;
  /** Value of the taint, for `Equal`. @default - any value */
  readonly value?: string;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. @default - every effect */
  readonly effect?: string;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
}

export interface Resources {
  readonly requests?: { readonly [resource: string]: string | number };
  readonly limits?: { readonly [resource: string]: string | number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly ContainerPort[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly resources?: Resources;
  readonly startupProbe?: object;
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
  readonly lifecycle?: object;
  readonly securityContext?: object;
}

/** What differs between pods; `podTemplate` adds what all pods of this library share. */
export interface PodTemplateOptions {
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  /** Whether the processes may be root. */
  readonly rootless: boolean;
  /** User that a rootless pod runs as. */
  readonly userId: number;
  readonly terminationGracePeriodSeconds: number;
  readonly nodeSelector: { readonly [key: string]: string };
  readonly tolerations: readonly Toleration[];
  readonly topologySpreadConstraints: readonly object[];
  readonly priorityClassName: string | undefined;
  readonly serviceAccountName: string | undefined;
  readonly imagePullSecrets: readonly string[];
}

/** Security context of every container: nothing beyond what an unprivileged process has (Pod Security Standard "restricted"). */
export function containerSecurityContext(): object {
  return { allowPrivilegeEscalation: false, privileged: false, capabilities: { drop: ['ALL'] } };
}

/** A PodTemplateSpec. Group 0 with a user of its own is the convention by which images stay writable for any user id. */
export function podTemplate(options: PodTemplateOptions): object {
  return {
    metadata: {
      labels: options.labels,
      annotations: Object.keys(options.annotations).length > 0 ? options.annotations : undefined,
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: options.serviceAccountName,
      imagePullSecrets: options.imagePullSecrets.length > 0 ? options.imagePullSecrets.map((name) => ({ name })) : undefined,
      priorityClassName: options.priorityClassName,
      terminationGracePeriodSeconds: options.terminationGracePeriodSeconds,
      nodeSelector: Object.keys(options.nodeSelector).length > 0 ? options.nodeSelector : undefined,
      tolerations: options.tolerations.length > 0 ? options.tolerations : undefined,
      topologySpreadConstraints: options.topologySpreadConstraints.length > 0 ? options.topologySpreadConstraints : undefined,
      securityContext: {
        ...(options.rootless
          ? {
              runAsNonRoot: true,
              runAsUser: options.userId,
              runAsGroup: 0,
              fsGroup: options.userId,
              fsGroupChangePolicy: 'OnRootMismatch',
            }
          : { runAsNonRoot: false }),
        seccompProfile: { type: 'RuntimeDefault' },
      },
      initContainers: options.initContainers.length > 0 ? options.initContainers : undefined,
      containers: options.containers,
      volumes: options.volumes.length > 0 ? options.volumes : undefined,
    },
  };
}
