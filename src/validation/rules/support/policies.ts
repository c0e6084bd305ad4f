/** Policies that attach to a target of their own namespace with `targetRefs`. */
export const POLICY_KINDS: readonly (readonly [group: string, kind: string])[] = [
  ['gateway.envoyproxy.io', 'BackendTrafficPolicy'],
  ['gateway.envoyproxy.io', 'ClientTrafficPolicy'],
  ['gateway.envoyproxy.io', 'SecurityPolicy'],
  ['gateway.envoyproxy.io', 'EnvoyExtensionPolicy'],
  ['gateway.envoyproxy.io', 'EnvoyPatchPolicy'],
  ['gateway.networking.k8s.io', 'BackendTLSPolicy'],
  ['gateway.networking.x-k8s.io', 'XBackendTrafficPolicy'],
  ['aigateway.envoyproxy.io', 'QuotaPolicy'],
  ['gateway.nginx.org', 'ClientSettingsPolicy'],
  ['gateway.nginx.org', 'ProxySettingsPolicy'],
  ['gateway.nginx.org', 'UpstreamSettingsPolicy'],
  ['networking.gke.io', 'GCPBackendPolicy'],
  ['networking.gke.io', 'HealthCheckPolicy'],
];
