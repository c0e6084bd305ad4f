import type { Component } from './component';

/** The reference engine simulator. Its module is not installable with `go install`. */
export const sim: Component = {
  name: 'sim',
  version: '0.10.2',
  variable: 'SIM',
  program: 'sim',
  source: 'build cmd/llm-d-inference-sim of llm-d-inference-sim v0.10.2 from its source (Go 1.26, CGO_ENABLED=0)',
};
