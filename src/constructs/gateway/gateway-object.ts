import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import {
  GatewaySpecListenersAllowedRoutesNamespacesFrom as From,
  type GatewaySpec,
  type GatewaySpecListeners,
  GatewaySpecListenersTlsMode,
} from '../../../imports/gateway.networking.k8s.io';
import { emit } from '../internal/emit';
import type { GatewayListener } from '../values/gateway-listener';

/** What makes up a Gateway object. */
export interface GatewayObjectInput {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly className: string;
  readonly listeners: readonly GatewayListener[];
  /** Namespaces whose routes may attach; empty for the Gateway's own. */
  readonly routeNamespaces: readonly string[];
  readonly labels: { readonly [key: string]: string } | undefined;
  readonly annotations: { readonly [key: string]: string } | undefined;
  /** Known when everything is. */
  readonly parametersRef: () => { readonly group: string; readonly kind: string; readonly name: string } | undefined;
}

/** The Gateway, the certificates that cert-manager keeps for it, and grants for Secrets of other namespaces. */
export function emitGateway(scope: Construct, input: GatewayObjectInput): ApiObject {
  for (const listener of input.listeners) emitCertificate(scope, input, listener);
  return emit(scope, 'Resource', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: input.name, namespace: input.namespace, labels: input.labels, annotations: input.annotations },
    body: () => {
      const parametersRef = input.parametersRef();
      const spec: GatewaySpec = {
        gatewayClassName: input.className,
        ...(parametersRef === undefined ? {} : { infrastructure: { parametersRef } }),
        listeners: input.listeners.map((listener) => listenerSpec(input, listener)),
      };
      return { spec };
    },
    why: 'the address that clients call',
  });
}

function listenerSpec(input: GatewayObjectInput, listener: GatewayListener): GatewaySpecListeners {
  return {
    name: listener.name,
    port: listener.port,
    protocol: listener.protocol,
    ...(listener.hostname === undefined ? {} : { hostname: listener.hostname }),
    ...(listener.certificate === undefined
      ? {}
      : {
          tls: {
            mode: GatewaySpecListenersTlsMode.TERMINATE,
            certificateRefs: [
              {
                name: secretNameOf(input, listener),
                ...(isForeign(input, listener) ? { namespace: listener.certificate.namespace } : {}),
              },
            ],
          },
        }),
    allowedRoutes: {
      namespaces:
        input.routeNamespaces.length === 0
          ? { from: From.SAME }
          : {
              from: From.SELECTOR,
              selector: {
                matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [...input.routeNamespaces] }],
              },
            },
    },
  };
}

function secretNameOf(input: GatewayObjectInput, listener: GatewayListener): string {
  return listener.certificate?.secretName ?? `${input.name}-${listener.name}-tls`;
}

function isForeign(input: GatewayObjectInput, listener: GatewayListener): boolean {
  const namespace = listener.certificate?.namespace;
  return namespace !== undefined && namespace !== input.namespace;
}

function emitCertificate(scope: Construct, input: GatewayObjectInput, listener: GatewayListener): void {
  const options = listener.certificate?.certManagerOptions;
  if (options !== undefined) {
    emit(scope, `Certificate-${listener.name}`, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: secretNameOf(input, listener), namespace: input.namespace },
      body: {
        spec: {
          secretName: secretNameOf(input, listener),
          dnsNames: options.dnsNames ?? (listener.hostname === undefined ? [] : [listener.hostname]),
          issuerRef: { group: 'cert-manager.io', kind: options.issuerKind ?? 'ClusterIssuer', name: options.issuer },
        },
      },
      why: `cert-manager keeps the certificate of listener ${listener.name}`,
    });
  }
  if (!isForeign(input, listener)) return;
  emit(scope, `CertificateGrant-${listener.name}`, {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: `${input.name}-${listener.name}-cert`, namespace: listener.certificate?.namespace },
    body: {
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: input.namespace }],
        to: [{ group: '', kind: 'Secret', name: secretNameOf(input, listener) }],
      },
    },
    why: `lets the Gateway read the certificate of listener ${listener.name} in another namespace`,
  });
}
