import type { Toleration } from '../kube/pod-template';
import type { PickerDelivery } from '../values/picker-delivery';
import type { PickerProgram } from '../values/picker-program';
import type { Scoring } from '../values/scoring';
import type { INamedObject, SecretReference } from '../values/secret-reference';

/** What one replica of a picker may use, as Kubernetes quantities. */
export interface PickerResources {
  /** Cores requested. @default '100m'; '1' for the llm-d picker */
  readonly cpuRequest?: string;
  /**
   * A ceiling for the processor. Throttling stops the picker for tens of milliseconds in the middle of other people's requests,
   * so there is none unless you set it.
   *
   * @default - none
   */
  readonly cpuLimit?: string;
  /** Memory requested. @default '128Mi'; '512Mi' for the llm-d picker */
  readonly memoryRequest?: string;
  /** Memory limit. @default '512Mi'; '2Gi' for the llm-d picker */
  readonly memoryLimit?: string;
}

/** How an endpoint picker is run. */
export interface EndpointPickerOptions {
  /** Which picker runs. @default PickerProgram.OWN */
  readonly program?: PickerProgram;
  /** How the program reaches the cluster. @default PickerDelivery.configMap(); for the llm-d picker its published image, version 0.10.0 */
  readonly delivery?: PickerDelivery;
  /** Pods. The picker of this project is active on all of them, the llm-d picker on one. @default 2 */
  readonly replicas?: number;
  /**
   * A secret that replicas prove to each other before they tell what they have under way, at least 16 characters long. Without it a
   * replica believes whoever the NetworkPolicy lets in. Without effect where there is one replica.
   *
   * @default - none
   */
  readonly peerSecret?: SecretReference;
  /** What each pod may use. @default - measured values, see PickerResources */
  readonly resources?: PickerResources;
  /** How endpoints are chosen. @default Scoring.default(); Scoring.llmdDefault() for the llm-d picker */
  readonly scoring?: Scoring;
  /**
   * Files with scorers that you wrote in TypeScript or JavaScript (`defineScorer` of `cdk8s-ai-gateway/scheduling`), which
   * `Scorer.custom` may then name. Relative to the working directory. Needs `esbuild` and `typescript` in your project.
   *
   * @default - none
   */
  readonly plugins?: string[];
  /**
   * Whether the gateway speaks TLS to the picker, which then makes itself a certificate that nobody can verify.
   * @default - what the gateway implementation needs
   */
  readonly secureServing?: boolean;
  /** How much is logged: 0 errors only, 1 what an operator needs, 2 and more for debugging (costly from 4 on). @default 1 */
  readonly logVerbosity?: number;
  /**
   * How long a picker that is told to stop goes on with the answers that run through it, in seconds. Answers that take longer
   * are cut. The pod gets ten seconds more, and ten before in which no proxy asks it any more.
   *
   * @default 120
   */
  readonly drainSeconds?: number;
  /** Priority class of the pods. @default - none */
  readonly priorityClassName?: string;
  /** Labels that nodes must have. @default - any node */
  readonly nodeSelector?: { readonly [label: string]: string };
  /** Taints that the pods tolerate. @default - none */
  readonly tolerations?: Toleration[];
  /** Added to the labels of the pods. @default - none */
  readonly podLabels?: { readonly [key: string]: string };
  /** Added to the annotations of the pods. @default - none */
  readonly podAnnotations?: { readonly [key: string]: string };
  /** Flags of the program that have no option here, each as `--name=value`. @default - none */
  readonly extraArgs?: string[];
  /** Environment variables. Not for secrets: see `secretEnv`. @default - none */
  readonly extraEnv?: { readonly [name: string]: string };
  /** Environment variables whose values are in Secrets. @default - none */
  readonly secretEnv?: { readonly [name: string]: SecretReference };
  /** Secrets with the credentials of the image's registry. @default - none */
  readonly imagePullSecrets?: INamedObject[];
  /** Name of the Deployment and the Service; at most 40 characters. @default - made from the construct's path */
  readonly name?: string;
  /** Labels of all objects of the picker. @default - none */
  readonly labels?: { readonly [key: string]: string };
  /** Annotations of all objects of the picker. @default - none */
  readonly annotations?: { readonly [key: string]: string };
}
