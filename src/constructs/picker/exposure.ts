import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { emit, type ObjectMetadata } from '../internal/emit';
import { networkPolicySpec } from '../kube/network-policy';
import type { NetworkPeer } from '../model-backend';
import { EXT_PROC_PORT, EXT_PROC_PORT_NAME, METRICS_PORT, METRICS_PORT_NAME, PEER_PORT, PEER_PORT_NAME } from './ports';

type Labels = { readonly [key: string]: string };

/** Emits the Service that gateways call. */
export function emitService(scope: Construct, metadata: ObjectMetadata, podLabels: Labels, secureServing: boolean): ApiObject {
  return emit(scope, 'Service', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    why: 'where the gateway asks the picker, and where its metrics are',
    body: {
      spec: {
        type: 'ClusterIP',
        selector: podLabels,
        ports: [
          {
            name: EXT_PROC_PORT_NAME,
            port: EXT_PROC_PORT,
            targetPort: EXT_PROC_PORT_NAME,
            protocol: 'TCP',
            // h2c is HTTP/2 without TLS: said of a TLS port, a gateway that believes it cannot connect
            ...(secureServing ? {} : { appProtocol: 'kubernetes.io/h2c' }),
          },
          { name: METRICS_PORT_NAME, port: METRICS_PORT, targetPort: METRICS_PORT_NAME, protocol: 'TCP' },
        ],
      },
    },
  });
}

/** Emits the Service by whose name the replicas find each other: it has an address for each, also for one that is only starting. */
export function emitPeerService(scope: Construct, metadata: ObjectMetadata, podLabels: Labels): ApiObject {
  return emit(scope, 'Peers', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, name: peerServiceName(metadata.name) },
    why: 'how the replicas of the picker find each other, to tell what they have under way',
    body: {
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: podLabels,
        ports: [{ name: PEER_PORT_NAME, port: PEER_PORT, targetPort: PEER_PORT_NAME, protocol: 'TCP' }],
      },
    },
  });
}

/** Name of that Service. */
export function peerServiceName(name: string): string {
  return `${name}-peers`;
}

/** The rule that lets the replicas of a picker, and nobody else, connect to each other. */
export function peerIngress(podLabels: Labels): readonly object[] {
  const { ingress } = networkPolicySpec({ podLabels, peers: [{ podLabels }], ports: [PEER_PORT], egress: true }) as {
    ingress: readonly object[];
  };
  return ingress;
}

/** Emits the NetworkPolicy. Port 9003 needs no rule: probes come from the node, which no policy can shut out. */
export function emitNetworkPolicy(
  scope: Construct,
  metadata: ObjectMetadata,
  podLabels: Labels,
  callers: () => readonly NetworkPeer[],
  monitoring: readonly NetworkPeer[],
  hasPeers: boolean,
): ApiObject {
  const rulesFor = (peers: readonly NetworkPeer[], port: number): { ingress: readonly object[] } =>
    networkPolicySpec({ podLabels, peers, ports: [port], egress: true }) as { ingress: readonly object[] };
  return emit(scope, 'NetworkPolicy', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    why: 'lets the gateway ask the picker and monitoring read its metrics, and nobody else connect',
    body: () => {
      const asking = rulesFor(callers(), EXT_PROC_PORT);
      const peers = hasPeers ? peerIngress(podLabels) : [];
      return { spec: { ...asking, ingress: [...asking.ingress, ...rulesFor(monitoring, METRICS_PORT).ingress, ...peers] } };
    },
  });
}

/** Emits a ServiceMonitor (Prometheus Operator, `monitoring.coreos.com/v1`), which finds the Service by its labels. */
export function emitServiceMonitor(
  scope: Construct,
  metadata: ObjectMetadata,
  serviceLabels: Labels,
  monitorLabels: Labels,
): ApiObject {
  return emit(scope, 'ServiceMonitor', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { ...metadata, labels: { ...metadata.labels, ...monitorLabels } },
    why: 'has Prometheus read the metrics of every replica',
    body: {
      spec: {
        selector: { matchLabels: serviceLabels },
        endpoints: [{ port: METRICS_PORT_NAME, path: '/metrics', interval: '15s' }],
      },
    },
  });
}
