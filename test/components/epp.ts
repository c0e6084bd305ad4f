import type { Component } from './component';

/** The reference endpoint picker. Its module is not installable with `go install`. */
export const epp: Component = {
  name: 'epp',
  version: '0.10.0',
  variable: 'EPP',
  program: 'epp',
  source: 'build cmd/epp of llm-d-router v0.10.0 from its source (Go 1.26, CGO_ENABLED=0)',
};
