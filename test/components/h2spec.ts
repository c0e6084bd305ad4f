import type { Component } from './component';
import { goInstall } from './install';

/** Conformance suite for RFC 9113 and RFC 7541. */
export const h2spec: Component = {
  name: 'h2spec',
  version: '2.2.1',
  variable: 'H2SPEC',
  program: 'h2spec',
  install: (folder) => goInstall('github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible', folder),
  source: 'go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible',
};
