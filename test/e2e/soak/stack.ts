import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { envoyBootstrap } from '../../../src/constructs/sidecar/envoy-bootstrap';
import { CONTROL_HEADERS } from '../../../src/shared/control-headers';
import { eventually, freePorts, startProcess } from '../../components/process';
import { requireComponent } from '../../components/resolver';

export const MODELS = ['llama', 'mistral'] as const;
const CLIENTS = 6;
const ENGINES = 3;

export interface SoakStack {
  /** Of Envoy. */
  readonly address: string;
  /** Of the clients. */
  readonly keys: readonly string[];
  /** Process ids by name. */
  readonly processes: Readonly<Record<string, number>>;
  /** What the picker still holds: all 0 at rest. */
  leftover(): Promise<Readonly<Record<string, number>>>;
}

/** Envoy with the bootstrap of a sidecar, the built picker with keys and budgets, and simulated engines of both models. */
export async function startSoakStack(): Promise<SoakStack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-'));
  const engines = await Promise.all(
    Array.from({ length: ENGINES }, (_, index) =>
      startProcess(process.execPath, {
        args: [
          path.join(__dirname, 'engine.js'),
          ...MODELS.flatMap((model) => ['--model', model]),
          '--speed',
          '4',
          '--seed',
          String(index),
        ],
        ready: /engine listening on http:\S+:(\d+)/,
      }),
    ),
  );
  const enginePorts = engines.map(({ readyMatch }) => Number(readyMatch[1]));
  const [grpc, health, metrics, debug, listenPort, statusPort, adminPort] = (await freePorts(7)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const keys = writeKeys(path.join(folder, 'keys'));
  writeFileSync(path.join(folder, 'policy.yaml'), policy(folder));
  const endpoints = enginePorts.map((port, index) => ({ name: `engine-${index}`, address: '127.0.0.1', port: String(port) }));
  writeFileSync(path.join(folder, 'engines.yaml'), JSON.stringify({ endpoints }));
  const picker = await startProcess(process.execPath, {
    args: [
      path.join(__dirname, '../../dist/picker/main.js'),
      ...[`--policy-file=${path.join(folder, 'policy.yaml')}`, '--secure-serving=false', '--bind-address=127.0.0.1', '--v=1'],
      ...[
        `--grpc-port=${grpc}`,
        `--grpc-health-port=${health}`,
        `--metrics-port=${metrics}`,
        `--debug-address=127.0.0.1:${debug}`,
      ],
    ],
    ready: /endpoint picker is serving/,
  });
  const bootstrap = envoyBootstrap({
    pools: [{ name: 'engines', host: '127.0.0.1', ports: enginePorts, tls: false }],
    ...{ longestAnswerSeconds: 60, streamIdleSeconds: 30, retries: 2, controlHeaders: CONTROL_HEADERS },
    ...{ listenAddress: '127.0.0.1', listenPort, statusPort, adminPort, pickerPort: grpc },
  });
  const file = path.join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const envoy = await startProcess(requireComponent('envoy'), {
    args: ['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'warning'],
    ready: { port: listenPort },
  });
  const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  await eventually('Envoy is ready', async () => (await fetch(`http://127.0.0.1:${statusPort}/ready`)).ok);
  return {
    address: `127.0.0.1:${listenPort}`,
    keys,
    processes: {
      picker: picker.pid,
      envoy: envoy.pid,
      ...Object.fromEntries(engines.map(({ pid }, index) => [`engine ${index}`, pid])),
      load: process.pid,
    },
    leftover: () => restOf(page),
  };
}

/** After a moment for clients that left last. */
async function restOf(page: () => Promise<string>): Promise<Readonly<Record<string, number>>> {
  const look = async (): Promise<Readonly<Record<string, number>>> => {
    const text = await page();
    const sum = (name: string): number =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
    const limit = (what: string): number => sum(`aig_picker_limit_${what}_tokens_total`);
    return {
      'running requests': sum('llm_d_epp_request_running'),
      'open streams': sum('aig_picker_http2_streams'),
      'tokens set aside': limit('reserved') + limit('surcharged') - limit('refunded') - limit('spent'),
    };
  };
  const isEmpty = (rest: Readonly<Record<string, number>>): boolean => Object.values(rest).every((value) => value === 0);
  return eventually('nothing is left', async () => {
    const rest = await look();
    return isEmpty(rest) ? rest : undefined;
  }).catch(look);
}

function writeKeys(folder: string): string[] {
  mkdirSync(folder);
  return Array.from({ length: CLIENTS }, (_, index) => {
    const key = `soak-client-${index}-not-a-secret`;
    writeFileSync(path.join(folder, `client-${index}`), key);
    return key;
  });
}

function policy(folder: string): string {
  return `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - { name: engines, endpoints: { file: { path: ${folder}/engines.yaml } } }
models:
${MODELS.map((name) => `  - { name: ${name}, targets: [{ pool: engines }] }`).join('\n')}
identity: { source: apiKeys, directory: ${folder}/keys }
limits:
  - { name: per-minute, unit: tokens, amount: 100000000, windowSeconds: 60, key: { source: client } }
  - { name: per-day, unit: tokens, amount: 10000000000, windowSeconds: 86400, key: { source: client } }
`;
}
