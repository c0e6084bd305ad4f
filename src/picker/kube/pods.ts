import { canonicalAddress } from '../discovery/endpoints-file';
import { type Endpoint, formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import type { KubeObject } from './cluster-watch';

/** What is kept of a pod. */
export interface Pod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** RFC 3339, so that its text can be compared. */
  readonly createdAt: string;
  /** The primary address, in the form that proxies write it. */
  readonly address: string;
  /** Of its node; undefined while it has none. */
  readonly nodeAddress: string | undefined;
  /** Condition Ready, and not about to go. */
  readonly ready: boolean;
  /** The only ports that may be used; undefined for all. */
  readonly activePorts: readonly number[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

interface PodStatus {
  readonly phase?: string;
  readonly hostIP?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip?: string }[];
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
}

/** Ports of the pod that requests may go to, with commas; the later name first (llm-d's `pkg/epp/util/pod`). */
const ACTIVE_PORTS_ANNOTATIONS = ['llm-d.ai/active-ports', 'inference.networking.k8s.io/active-ports'];

/** Undefined for a pod without an address, and for one that has ended: its address may be another pod's by then. */
export function parsePod({ metadata, status }: KubeObject): Pod | undefined {
  const { phase, hostIP, podIP, podIPs, conditions } = (status ?? {}) as PodStatus;
  const address = podIP ?? podIPs?.[0]?.ip;
  if (address === undefined || address === '' || phase === 'Succeeded' || phase === 'Failed') return undefined;
  const isReady = conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
  return {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    createdAt: metadata.creationTimestamp ?? '',
    address: canonicalAddress(address),
    nodeAddress: hostIP === undefined || hostIP === '' ? undefined : canonicalAddress(hostIP),
    ready: isReady && metadata.deletionTimestamp === undefined,
    activePorts: activePorts(metadata.annotations ?? {}),
    labels: metadata.labels ?? {},
  };
}

/**
 * One endpoint for every pod and port, named `<pod>-rank-<index of the port>`, in an order that depends on nothing but the pods: where
 * two pods claim an address, the ready one stands first, then the younger one.
 */
export function podEndpoints(pods: Iterable<Pod>, ports: readonly number[]): Endpoint[] {
  const ordered = [...pods].sort(
    (a, b) => Number(b.ready) - Number(a.ready) || compare(b.createdAt, a.createdAt) || compare(a.uid, b.uid),
  );
  return ordered.flatMap(({ uid, name, namespace, address, nodeAddress, ready, activePorts: active, labels }) =>
    ports.flatMap((port, rank) =>
      active?.includes(port) === false
        ? []
        : [
            {
              name: `${name}-rank-${rank}`,
              podName: name,
              ...(nodeAddress === undefined ? {} : { nodeAddress }),
              namespace,
              uid,
              address,
              port,
              labels,
              ready,
              hostPort: formatHostPort(address, port),
            },
          ],
    ),
  );
}

/** What is no port is passed over, as llm-d does: an annotation without any port closes the pod. */
function activePorts(annotations: Readonly<Record<string, string>>): number[] | undefined {
  const name = ACTIVE_PORTS_ANNOTATIONS.find((candidate) => annotations[candidate] !== undefined);
  if (name === undefined) return undefined;
  return annotations[name]!.split(',').flatMap((text) => {
    const digits = /^\s*(\d{1,5})\b/.exec(text)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
