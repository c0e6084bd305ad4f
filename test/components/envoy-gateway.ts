import type { Component } from './component';
import { goInstall } from './install';

/** Envoy Gateway's control plane, which programs an Envoy of this machine in its host mode. */
export const envoyGateway: Component = {
  name: 'envoy-gateway',
  version: '1.9.0',
  variable: 'ENVOY_GATEWAY',
  program: 'envoy-gateway',
  install: (folder) => goInstall('github.com/envoyproxy/gateway/cmd/envoy-gateway@v1.9.0', folder),
  slowInstall: true,
  source: 'go install github.com/envoyproxy/gateway/cmd/envoy-gateway@v1.9.0 (about 8 minutes)',
};
