import type { Component } from './component';
import { goInstall } from './install';

const MODULE = 'github.com/envoyproxy/ratelimit/src/service_cmd@v1.4.1-0.20260122083618-3fb702589d36';

/** The rate limit service that Envoy Gateway runs: Envoy asks it, and it counts in Redis. */
export const ratelimit: Component = {
  name: 'ratelimit',
  version: '1.4.1-0.20260122083618',
  variable: 'RATELIMIT',
  program: 'service_cmd',
  install: (folder) => goInstall(MODULE, folder),
  slowInstall: true,
  source: `go install ${MODULE}`,
};
