import type { NetworkPeer } from '../model-backend';

/** Pods of `namespace`, as a NetworkPolicy in `policyNamespace` names them. */
export function peerIn(
  podLabels: { readonly [key: string]: string },
  namespace: string | undefined,
  policyNamespace: string | undefined,
): NetworkPeer {
  if (namespace === undefined || namespace === policyNamespace) return { podLabels };
  return { podLabels, namespaceLabels: { 'kubernetes.io/metadata.name': namespace } };
}
