import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { PoolReference } from '../internal/pool-reference';

/** Files of one Secret that the picker reads: API keys, a password, a key set. */
export interface PickerSecretMount {
  readonly secretName: string;
  /** Absolute path of the folder. */
  readonly mountPath: string;
}

/** A policy and what it needs. */
export interface PolicyInput {
  /** The policy as it stands at synthesis, when the last model has been added. */
  readonly policy: () => PickerPolicy;
  /** Secrets that the policy names files of, as they stand at synthesis. @default - none */
  readonly secretMounts?: () => readonly PickerSecretMount[];
  /** Folder that the picker writes to, kept for as long as the pod lives, as it stands at synthesis. @default - none */
  readonly stateFolder?: () => string | undefined;
}

/** What a picker is told by the construct that runs it. Without a policy it serves one pool, and every model. */
export interface PickerInput extends Partial<PolicyInput> {
  /** Name of the picker's objects; those beside the main one derive theirs from it. */
  readonly name: string;
  /** Namespace of the pod; undefined when the chart sets none. */
  readonly namespace: string | undefined;
  /** The pools whose endpoints it chooses among. */
  readonly pools: readonly PoolReference[];
  /** Whether whoever asks the picker speaks TLS to it. */
  readonly secureServing: boolean;
  /** Name of the Service with an address for each replica. @default - there is one replica, or each is alone */
  readonly peerService?: string | undefined;
  /** Whether several replicas share one Service, so that a program with one active replica has to elect it. */
  readonly electLeader: boolean;
}
