import type { Volume } from './pod-template';

/** What `automountServiceAccountToken` would mount into every container of a pod, for the one that needs it. */
export function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        // the lifetime that the API server gives to tokens that it mounts itself
        { serviceAccountToken: { path: 'token', expirationSeconds: 3_607 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
}
