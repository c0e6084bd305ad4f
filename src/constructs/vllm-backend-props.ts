import type { Duration } from 'cdk8s';
import type { Toleration } from './kube/pod-template';
import type { NetworkPeer } from './model-backend';
import type { Accelerator } from './values/accelerator';
import type { KvCacheDataType, ModelDataType } from './values/data-type';
import type { ModelSpec } from './values/model-catalogue/model-spec';
import type { ChatTemplate, LoraAdapter, ModelCache } from './values/model-files';
import type { ModelSource } from './values/model-source';
import type { Quantization } from './values/quantization';
import type { INamedObject, SecretReference } from './values/secret-reference';

/** What happens when a model does not fit its accelerators, as computed before anything is deployed. */
export enum CapacityCheck {
  /** It is an error. */
  ENFORCE = 'enforce',
  /** It is a warning. */
  WARN = 'warn',
  /** Nothing is computed. */
  OFF = 'off',
}

/** Properties of `VllmBackend`. Only the model and the accelerator have no default. */
export interface VllmBackendProps {
  /** Where the weights come from. */
  readonly model: ModelSource;
  /** Accelerators of one replica. */
  readonly accelerator: Accelerator;
  /** Pods, each with a whole copy of the model. @default 1 */
  readonly replicas?: number;
  /** Name of the Deployment and what belongs to it, at most 52 characters. @default - the construct's path below the chart */
  readonly name?: string;
  /** Labels of all objects. @default - none beyond the library's own */
  readonly labels?: { readonly [key: string]: string };
  /** Annotations of all objects. @default - none beyond the library's own */
  readonly annotations?: { readonly [key: string]: string };
  /** Annotations of the pods. @default - none */
  readonly podAnnotations?: { readonly [key: string]: string };

  /**
   * Image of the engine, with `vllm` and `python3` on its path. The arguments are those of vLLM 0.30; older versions may lack some.
   * @default - `vllm/vllm-openai:v0.30.0`, or the image of that line for AMD GPUs and TPUs
   */
  readonly image?: string;
  /** When the kubelet pulls the image. @default IfNotPresent */
  readonly imagePullPolicy?: string;
  /** Names of Secrets for private registries. @default - none */
  readonly imagePullSecrets?: readonly string[];

  /** Figures of a model that the catalogue does not have. @default - from the catalogue, by the model's id */
  readonly modelSpec?: ModelSpec;
  /** What happens when the model does not fit its accelerators. @default CapacityCheck.ENFORCE */
  readonly capacityCheck?: CapacityCheck;

  /** GPUs that share each layer. @default - all accelerators that pipeline and data parallelism leave */
  readonly tensorParallel?: number;
  /** Stages that share the layers. @default 1 */
  readonly pipelineParallel?: number;
  /** Engines in one pod, each with a port of its own that a picker sees as an endpoint of its own. @default 1 */
  readonly dataParallel?: number;
  /** Longest sequence, prompt and answer together. @default - what the model allows */
  readonly maxModelLengthTokens?: number;
  /** Share of each GPU's memory that the engine may use, above 0 and up to 1. @default 0.9 */
  readonly gpuMemoryUtilizationRatio?: number;
  /** How the weights are stored. @default - as the checkpoint says */
  readonly quantization?: Quantization;
  /** Number format of the computation. @default ModelDataType.AUTO */
  readonly dtype?: ModelDataType;
  /** Number format of the KV cache. @default KvCacheDataType.AUTO */
  readonly kvCacheDtype?: KvCacheDataType;
  /** Reuse of the KV cache of equal beginnings of prompts. @default true */
  readonly prefixCaching?: boolean;
  /** Most sequences computed together. @default - vLLM's: 1,024 from 70 GiB of GPU memory on (A100: 256), else 256 */
  readonly maxSequences?: number;
  /** Most tokens computed in one step. @default - vLLM's: 8,192 from 70 GiB on, 16,384 from 160 GiB on, else 2,048 */
  readonly maxBatchedTokens?: number;
  /**
   * Names that the engine answers to, for good: models of other names are then rewritten to the first one.
   * @default - the names of the models that refer to this backend, then the model's id
   */
  readonly servedModelNames?: readonly string[];
  /** LoRA adapters, each served under its name. @default - none */
  readonly adapters?: readonly LoraAdapter[];
  /** Adapters in one batch. @default - the number of adapters, at most 8 */
  readonly maxLoras?: number;
  /** Highest rank of the adapters: 1, 8, 16, 32, 64, 128, 256, 320 or 512. @default 16 */
  readonly maxLoraRank?: number;
  /** Turns messages into a prompt. @default - the tokenizer's own */
  readonly chatTemplate?: ChatTemplate;
  /** vLLM's `--tool-call-parser`, for example `llama3_json`; also turns on automatic tool choice. @default - none */
  readonly toolCallParser?: string;
  /** vLLM's `--reasoning-parser`, for example `deepseek_r1`. @default - none */
  readonly reasoningParser?: string;
  /** Main memory that takes KV cache which the GPUs have no room for, in GiB, all GPUs together. @default - none */
  readonly kvOffloadGib?: number;
  /** Whether code that comes with the model may run. @default false */
  readonly trustRemoteCode?: boolean;
  /** Any other arguments of `vllm serve`, as they stand on a command line. @default - none */
  readonly extraArgs?: readonly string[];
  /** Environment variables. Secrets belong into `envSecrets`. @default - none */
  readonly env?: { readonly [name: string]: string };
  /** Environment variables from Secrets. @default - none */
  readonly envSecrets?: { readonly [name: string]: SecretReference };

  /**
   * Key that callers must send as a bearer token. vLLM asks for it below `/v1` only: the NetworkPolicy stays needed.
   * @default - none
   */
  readonly apiKey?: SecretReference;
  /** Secret of type `kubernetes.io/tls`; the port then speaks TLS only. @default - plain HTTP */
  readonly tlsSecret?: INamedObject;
  /** Port of the first engine; further data-parallel ranks follow it. @default 8000 */
  readonly port?: number;

  /** Where downloads and compiled kernels are kept. @default - the node's disk */
  readonly cache?: ModelCache;
  /** Size of /dev/shm in GiB, which the workers of several GPUs talk through. @default - 2, and 1 for each GPU */
  readonly sharedMemoryGib?: number;
  /** CPU cores requested. @default - 2, and 2 for each GPU */
  readonly cpuCores?: number;
  /** Main memory requested in GiB. @default - 4, and 4 for each GPU, shared memory, offload, and a tenth of the weights */
  readonly memoryGib?: number;

  /** How fast weights come from the source, in 10^6 bytes per second. @default 100 over the network, 200 from a disk */
  readonly sourceMegabytesPerSecond?: number;
  /** Time from the start of the engine to its first answer. @default - computed from the weights and the source's speed */
  readonly startupTimeout?: Duration;
  /** Longest answer that a rollout or a node drain waits for. @default Duration.minutes(10) */
  readonly longestAnswer?: Duration;
  /** Time for routers to take a leaving pod off their lists. @default Duration.seconds(15) */
  readonly drainDelay?: Duration;

  /** Pods beyond `replicas` during a rollout; each needs free accelerators. @default 0 */
  readonly surgeReplicas?: number;
  /** Whether a PodDisruptionBudget lets one pod go at a time. @default - true for two replicas or more */
  readonly disruptionBudget?: boolean;
  /** Whether replicas prefer different nodes and zones. @default true */
  readonly spread?: boolean;
  /** Priority class of the pods. @default - none */
  readonly priorityClassName?: string;
  /** Labels that nodes must have beside those of the accelerator. @default - none */
  readonly nodeSelector?: { readonly [key: string]: string };
  /** Tolerations beside the one for the accelerator's taint. @default - none */
  readonly tolerations?: readonly Toleration[];
  /** Service account, for a source that uses ambient identity. Its token is not mounted. @default - the namespace's default */
  readonly serviceAccountName?: string;
  /** User id of the processes; 0 for root. @default - 2000, the image's user `vllm`; root on AMD GPUs and TPUs */
  readonly runAsUser?: number;

  /** Whether a NetworkPolicy lets in only who was allowed. @default true */
  readonly networkPolicy?: boolean;
  /** Who may scrape metrics. @default - pods of the namespace `monitoring` */
  readonly monitoring?: readonly NetworkPeer[];
  /** Whether the engine may open connections of its own; needs a source that is mounted. @default true */
  readonly egress?: boolean;
}
