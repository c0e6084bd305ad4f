import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** llm-d's default, spelt out. */
const REFERENCE_PLUGINS = `- {type: queue-scorer}
- {type: kv-cache-utilization-scorer}
- {type: prefix-cache-scorer}
`;
const REFERENCE_PROFILE = `schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: queue-scorer, weight: 2}
  - {pluginRef: kv-cache-utilization-scorer, weight: 2}
  - {pluginRef: prefix-cache-scorer, weight: 3}
`;

/**
 * A picker's configuration and endpoints as files that both pickers read: file discovery, and the reference's default scorers or, with
 * `scheduling: 'none'`, no word of how to schedule.
 */
export function writePickerFiles(
  folder: string,
  ports: readonly number[],
  scheduling: 'reference' | 'none' = 'reference',
): string {
  const [plugins, profile] = scheduling === 'reference' ? [REFERENCE_PLUGINS, REFERENCE_PROFILE] : ['', ''];
  mkdirSync(folder, { recursive: true });
  const endpoints = join(folder, 'endpoints.yaml');
  writeEndpoints(endpoints, ports);
  const config = join(folder, 'epp.yaml');
  writeFileSync(
    config,
    `apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- {name: file-discovery, type: file-discovery, parameters: {path: ${endpoints}, watchFile: true}}
${plugins}- {name: metrics-source, type: metrics-data-source}
- {name: metrics-extractor, type: core-metrics-extractor}
${profile}dataLayer:
  injectDefaults: false
  discovery: {pluginRef: file-discovery}
  sources: [{pluginRef: metrics-source, extractors: [{pluginRef: metrics-extractor}]}]
`,
  );
  return config;
}

export function writeEndpoints(path: string, ports: readonly number[]): void {
  const lines = ports.map((port, index) => `- {name: engine-${index}, address: 127.0.0.1, port: "${port}"}`);
  writeFileSync(path, `endpoints:\n${lines.join('\n')}\n`);
}

/** Flags that both pickers understand, for plain text on loopback without anything that costs extra. */
export function pickerFlags(config: string, ports: { grpc: number; health: number; metrics: number }): string[] {
  return [
    ...['--pool-name', 'epp', '--pool-namespace', 'bench', '--config-file', config],
    ...['--grpc-port', String(ports.grpc), '--grpc-health-port', String(ports.health), '--metrics-port', String(ports.metrics)],
    ...[
      '--secure-serving=false',
      '--health-checking=true',
      '--tracing=false',
      '--metrics-endpoint-auth=false',
      '--enable-pprof=false',
      '-v=1',
    ],
  ];
}

/** Flags of this project's picker for a policy, in plain text on loopback. @param debug port of the debug pages @default none */
export function policyFlags(
  policyFile: string,
  ports: { readonly grpc: number; readonly health: number; readonly metrics: number; readonly debug?: number },
): string[] {
  return [
    `--policy-file=${policyFile}`,
    '--secure-serving=false',
    '--bind-address=127.0.0.1',
    `--grpc-port=${ports.grpc}`,
    `--grpc-health-port=${ports.health}`,
    `--metrics-port=${ports.metrics}`,
    `--debug-address=${ports.debug === undefined ? 'off' : `127.0.0.1:${ports.debug}`}`,
    '--drain-timeout=1s',
  ];
}
