import { type KubeObject, type Labels, namespaceOf } from './kube-objects';

/** An InferencePool of either generation. */
export interface PoolObject {
  readonly name: string;
  readonly namespace: string;
  readonly selector: Labels;
  readonly ports: readonly number[];
  /** Service of its picker. */
  readonly picker: { readonly name: string; readonly port: number } | undefined;
}

interface PoolSpec {
  readonly selector?: Labels | { readonly matchLabels?: Labels };
  readonly targetPorts?: readonly { readonly number: number }[];
  readonly targetPortNumber?: number;
  readonly endpointPickerRef?: { readonly name: string; readonly port?: { readonly number: number } };
  readonly extensionRef?: { readonly name: string; readonly portNumber?: number };
}

const PICKER_PORT = 9002;

/** v1 has `selector.matchLabels`, `targetPorts` and `endpointPickerRef`; v1alpha2 a flat selector, `targetPortNumber` and `extensionRef`. */
export function poolObject(object: KubeObject): PoolObject {
  const spec = (object.spec ?? {}) as PoolSpec;
  const { selector = {}, targetPorts, targetPortNumber, endpointPickerRef: v1, extensionRef: alpha } = spec;
  return {
    name: object.metadata.name,
    namespace: namespaceOf(object),
    selector: (typeof selector['matchLabels'] === 'object' ? selector['matchLabels'] : selector) as Labels,
    ports: targetPorts?.map(({ number }) => number) ?? (targetPortNumber === undefined ? [] : [targetPortNumber]),
    picker:
      v1 !== undefined
        ? { name: v1.name, port: v1.port?.number ?? PICKER_PORT }
        : alpha && { name: alpha.name, port: alpha.portNumber ?? PICKER_PORT },
  };
}
