import type { IConstruct } from 'constructs';

/** Who may open connections to a pod: one entry of a NetworkPolicy `from` list. */
export interface NetworkPeer {
  /** Labels of the peer's pods. @default - every pod of the namespaces chosen */
  readonly podLabels?: { readonly [key: string]: string };
  /** Labels of the peer's namespace, `{}` for all namespaces. @default - the namespace of the policy */
  readonly namespaceLabels?: { readonly [key: string]: string };
}

/** One entry of a Secret in the backend's namespace. */
export interface SecretKey {
  readonly secretName: string;
  readonly key: string;
}

/** Pods that serve a model over an OpenAI-compatible HTTP API. */
export interface IModelBackend extends IConstruct {
  /** Namespace of the pods; undefined when the chart sets none. */
  readonly namespace: string | undefined;
  /** Labels that all pods of this backend carry, and no others in the namespace. */
  readonly podLabels: { readonly [key: string]: string };
  /** Port of each data-parallel rank, the first one is the main port. */
  readonly ports: readonly number[];
  /** Headless Service with an address for each ready pod of this backend alone; undefined when there is none. */
  readonly headlessServiceName: string | undefined;
  /** LoRA adapters that are served beside the base model. */
  readonly adapters: readonly string[];
  /** True when the engine's port speaks TLS. */
  readonly tls: boolean;
  /** Where the key is that the engine asks of every request; undefined when it asks for none. */
  readonly apiKey: SecretKey | undefined;
  /** Longest answer that a request may take, in seconds. */
  readonly longestAnswerSeconds: number;
  /**
   * Makes the engine answer to `name`, and returns the name under which a request must reach it:
   * `name` itself, or the engine's own name when its served names were fixed and the router has to rewrite.
   */
  serveAs(name: string): string;
  /** Adds a label to the pods, so that a pool of several backends can select them all. Never changes the Deployment's selector. */
  addPodLabel(key: string, value: string): void;
  /** Opens the backend's NetworkPolicy, if it has one, for `peer`. `reason` is recorded. */
  allowFrom(peer: NetworkPeer, reason: string): void;
}
