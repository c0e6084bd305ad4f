import type { Component } from './component';
import { goInstall } from './install';

/** Envoy Gateway's translator: the verdict of its CRDs and the xDS that it would serve. */
export const egctl: Component = {
  name: 'egctl',
  version: '1.9.0',
  variable: 'EGCTL',
  program: 'egctl',
  install: (folder) => goInstall('github.com/envoyproxy/gateway/cmd/egctl@v1.9.0', folder),
  slowInstall: true,
  source: 'go install github.com/envoyproxy/gateway/cmd/egctl@v1.9.0 (about 8 minutes)',
};
