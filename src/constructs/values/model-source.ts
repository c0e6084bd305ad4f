import { refuse } from '../internal/errors';
import type { Container, EnvVar, Volume, VolumeMount } from '../kube/pod-template';
import { containerSecurityContext } from '../kube/pod-template';
import type { INamedObject, SecretReference } from './secret-reference';

/** Folder of the engine's cache volume, which is also its home. */
export const CACHE_PATH = '/cache';
const WEIGHTS_PATH = '/weights';
/** Copies from S3 and Google Cloud Storage alike, resumes, and skips what is there. */
const COPY_IMAGE = 'rclone/rclone:1.75.1';

/** Options of `ModelSource.huggingFace()`. */
export interface HuggingFaceOptions {
  /** Access token, needed for gated models such as Llama. @default - anonymous download */
  readonly token?: SecretReference;
  /** Branch, tag or commit. Name a commit to get the same weights for ever. @default - the default branch */
  readonly revision?: string;
}

/** Options of sources whose content the library cannot know. */
export interface LocalModelOptions {
  /** Hugging Face id of what is stored, to find its figures in the catalogue and as a served name. @default - unknown */
  readonly modelId?: string;
  /** Folder of the model inside the volume or image. @default - its root */
  readonly path?: string;
}

/** Options of `ModelSource.gcs()`, and of `ModelSource.s3()`. */
export interface BucketOptions {
  /** Hugging Face id of what is stored, to find its figures in the catalogue and as a served name. @default - unknown */
  readonly modelId?: string;
  /** Image that copies; needs `rclone`. @default rclone/rclone:1.75.1 */
  readonly copyImage?: string;
}

/** Options of `ModelSource.s3()`. */
export interface S3Options extends BucketOptions {
  /** Region of the bucket. @default - what the environment says */
  readonly region?: string;
  /** Endpoint of an S3-compatible store, for example `https://minio.storage.svc:9000`. @default - AWS */
  readonly endpoint?: string;
  /** Access key id. @default - ambient identity of the pod's service account */
  readonly accessKeyId?: SecretReference;
  /** Secret access key. @default - ambient identity of the pod's service account */
  readonly secretAccessKey?: SecretReference;
}

/** @internal What a source adds to the engine's pod. */
export interface BoundModelSource {
  /** Value of vLLM's model argument. */
  readonly argument: string;
  readonly revision?: string;
  readonly env: readonly EnvVar[];
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  readonly initContainers: readonly Container[];
  /** True when the engine's pod has to reach the source over the network. */
  readonly needsNetwork: boolean;
  /** True when the engine itself downloads; otherwise it runs offline. */
  readonly downloads: boolean;
  /** True when the weights are copied into the cache volume. */
  readonly fillsCache: boolean;
  /** How fast weights reach the engine while its startup probe waits, in 10^6 bytes per second. */
  readonly startMegabytesPerSecond: number;
  /** How fast they are copied before the engine starts; undefined when nothing is copied then. */
  readonly copyMegabytesPerSecond?: number;
}

const OFFLINE: readonly EnvVar[] = [
  { name: 'HF_HUB_OFFLINE', value: '1' },
  { name: 'TRANSFORMERS_OFFLINE', value: '1' },
];
/** Network disks and node disks read at 200 MB/s or more; a download from the internet rarely keeps 100 MB/s. */
const DISK_MEGABYTES_PER_SECOND = 200;
const NETWORK_MEGABYTES_PER_SECOND = 100;

/** Where the weights come from. */
export class ModelSource {
  /** The Hugging Face repository `id`, downloaded by the engine into its cache when it starts. */
  public static huggingFace(id: string, options: HuggingFaceOptions = {}): ModelSource {
    if (!/^[\w.-]{1,96}\/[\w.-]{1,96}$/.test(id)) {
      invalid(
        'a Hugging Face id is needed',
        id,
        'organisation/model',
        "take it from the model's page, for example 'Qwen/Qwen3-8B'",
      );
    }
    return new ModelSource(id, {
      argument: id,
      revision: options.revision,
      env: options.token === undefined ? [] : [secretEnv('HF_TOKEN', options.token)],
      volumes: [],
      mounts: [],
      initContainers: [],
      needsNetwork: true,
      downloads: true,
      fillsCache: true,
      startMegabytesPerSecond: NETWORK_MEGABYTES_PER_SECOND,
    });
  }

  /** A PersistentVolumeClaim that holds the model's files; mounted read-only, so that every replica can share it. */
  public static persistentVolumeClaim(claim: INamedObject, options: LocalModelOptions = {}): ModelSource {
    const volume: Volume = { name: 'weights', persistentVolumeClaim: { claimName: claim.name, readOnly: true } };
    return new ModelSource(options.modelId, mounted(volume, options.path));
  }

  /**
   * An OCI image whose files are the model's, mounted as an image volume (on by default from Kubernetes 1.35, from 1.31 with the
   * ImageVolume feature gate). The kubelet pulls it before the engine starts and keeps it on the node.
   */
  public static ociImage(reference: string, options: LocalModelOptions = {}): ModelSource {
    if (!/[:@][\w.:-]+$/.test(reference) || /\s/.test(reference)) {
      invalid(
        'an image reference with a tag or digest is needed',
        reference,
        'registry/name:tag or registry/name@sha256:…',
        'pin the image',
      );
    }
    return new ModelSource(
      options.modelId,
      mounted({ name: 'weights', image: { reference, pullPolicy: 'IfNotPresent' } }, options.path),
    );
  }

  /** Files below `s3://bucket/prefix`, copied into the cache volume by an init container. */
  public static s3(uri: string, options: S3Options = {}): ModelSource {
    if ((options.accessKeyId === undefined) !== (options.secretAccessKey === undefined)) {
      invalid('one half of a key is of no use', uri, 'accessKeyId and secretAccessKey, or neither', 'give both');
    }
    const env: EnvVar[] = [
      { name: 'RCLONE_CONFIG_SOURCE_TYPE', value: 's3' },
      { name: 'RCLONE_CONFIG_SOURCE_PROVIDER', value: options.endpoint === undefined ? 'AWS' : 'Other' },
      { name: 'RCLONE_CONFIG_SOURCE_ENV_AUTH', value: 'true' },
    ];
    if (options.region !== undefined) env.push({ name: 'RCLONE_CONFIG_SOURCE_REGION', value: options.region });
    if (options.endpoint !== undefined) env.push({ name: 'RCLONE_CONFIG_SOURCE_ENDPOINT', value: options.endpoint });
    if (options.accessKeyId !== undefined) env.push(secretEnv('AWS_ACCESS_KEY_ID', options.accessKeyId));
    if (options.secretAccessKey !== undefined) env.push(secretEnv('AWS_SECRET_ACCESS_KEY', options.secretAccessKey));
    return new ModelSource(options.modelId, bucket('s3', uri, env, options));
  }

  /** Files below `gs://bucket/prefix`, copied into the cache volume by an init container, with the identity of the pod's service account. */
  public static gcs(uri: string, options: BucketOptions = {}): ModelSource {
    const env: EnvVar[] = [
      { name: 'RCLONE_CONFIG_SOURCE_TYPE', value: 'google cloud storage' },
      { name: 'RCLONE_CONFIG_SOURCE_ENV_AUTH', value: 'true' },
      { name: 'RCLONE_CONFIG_SOURCE_BUCKET_POLICY_ONLY', value: 'true' },
    ];
    return new ModelSource(options.modelId, bucket('gs', uri, env, options));
  }

  private constructor(
    /** Hugging Face id, when known. */
    public readonly modelId: string | undefined,
    /** @internal */
    public readonly _bound: BoundModelSource,
  ) {}
}

function bucket(scheme: string, uri: string, env: readonly EnvVar[], options: BucketOptions): BoundModelSource {
  const match = new RegExp(`^${scheme}://([a-z0-9][-a-z0-9._]{1,61}[a-z0-9])/(.*[^/])/?$`).exec(uri);
  if (match === null || /\s|\.\./.test(uri)) {
    return invalid('a folder in a bucket is needed', uri, `${scheme}://bucket/folder`, 'name the folder that holds config.json');
  }
  const target = `${CACHE_PATH}/models/${match[1]}/${match[2]}`;
  const copy: Container = {
    name: 'copy-weights',
    image: options.copyImage ?? COPY_IMAGE,
    command: [
      'rclone',
      'copy',
      '--transfers=8',
      '--multi-thread-streams=8',
      '--retries=5',
      '--stats=30s',
      '--stats-one-line',
      '-v',
    ],
    args: [`source:${match[1]}/${match[2]}`, target],
    env: [...env, { name: 'HOME', value: CACHE_PATH }],
    volumeMounts: [{ name: 'cache', mountPath: CACHE_PATH }],
    resources: { requests: { cpu: '2', memory: '1Gi' } },
    securityContext: containerSecurityContext(),
  };
  return {
    argument: target,
    env: OFFLINE,
    volumes: [],
    mounts: [],
    initContainers: [copy],
    needsNetwork: true,
    downloads: false,
    fillsCache: true,
    startMegabytesPerSecond: DISK_MEGABYTES_PER_SECOND,
    copyMegabytesPerSecond: NETWORK_MEGABYTES_PER_SECOND,
  };
}

function mounted(volume: Volume, path = ''): BoundModelSource {
  const inside = path.replace(/^\/+|\/+$/g, '');
  if (inside.split('/').includes('..')) invalid('the path must stay inside the volume', path, 'a relative folder', "remove '..'");
  return {
    argument: inside === '' ? WEIGHTS_PATH : `${WEIGHTS_PATH}/${inside}`,
    env: OFFLINE,
    volumes: [volume],
    mounts: [{ name: volume.name, mountPath: WEIGHTS_PATH, readOnly: true }],
    initContainers: [],
    needsNetwork: false,
    downloads: false,
    fillsCache: false,
    startMegabytesPerSecond: DISK_MEGABYTES_PER_SECOND,
  };
}

function secretEnv(name: string, secret: SecretReference): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secret.secretName, key: secret.key } } };
}

function invalid(what: string, value: string, allowed: string, fix: string): never {
  return refuse(undefined, { code: 'AIG423', what, value, allowed, fix });
}
