import type { NetworkPeer } from '../model-backend';

/** What a NetworkPolicy of this library says. */
export interface NetworkPolicyOptions {
  /** Labels of the pods that it protects. */
  readonly podLabels: { readonly [key: string]: string };
  /** Who may connect, each to all of `ports`. Nobody when empty. */
  readonly peers: readonly NetworkPeer[];
  readonly ports: readonly number[];
  /** Whether the pods may open connections themselves; false leaves them name resolution only. */
  readonly egress: boolean;
}

/** `spec` of a networking.k8s.io/v1 NetworkPolicy. */
export function networkPolicySpec(options: NetworkPolicyOptions): object {
  const from = options.peers.map(peer);
  const ports = options.ports.map((port) => ({ protocol: 'TCP', port }));
  return {
    podSelector: { matchLabels: options.podLabels },
    policyTypes: options.egress ? ['Ingress'] : ['Ingress', 'Egress'],
    // an empty `from` would mean everybody: without a peer there is no rule at all
    ingress: from.length > 0 ? [{ from, ports }] : [],
    egress: options.egress
      ? undefined
      : [
          {
            ports: [
              { protocol: 'UDP', port: 53 },
              { protocol: 'TCP', port: 53 },
            ],
          },
        ],
  };
}

function peer(allowed: NetworkPeer): object {
  return {
    namespaceSelector: allowed.namespaceLabels === undefined ? undefined : { matchLabels: allowed.namespaceLabels },
    // a peer without any selector is invalid; an empty pod selector is every pod
    podSelector:
      allowed.podLabels === undefined && allowed.namespaceLabels !== undefined
        ? undefined
        : { matchLabels: allowed.podLabels ?? {} },
  };
}

/** True when two peers say the same. */
export function samePeer(a: NetworkPeer, b: NetworkPeer): boolean {
  return (
    JSON.stringify([sorted(a.podLabels), sorted(a.namespaceLabels)]) ===
    JSON.stringify([sorted(b.podLabels), sorted(b.namespaceLabels)])
  );
}

function sorted(labels: { readonly [key: string]: string } | undefined): unknown {
  return labels === undefined ? null : Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}
