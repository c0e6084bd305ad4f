import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BootstrapInput } from '../../src/constructs/sidecar/bootstrap-input';
import { envoyBootstrap } from '../../src/constructs/sidecar/envoy-bootstrap';
import { CONTROL_HEADERS } from '../../src/shared/control-headers';
import { eventually, freePorts, type RunningProcess, startProcess } from './process';

export interface SidecarEnvoyOptions {
  /** For the bootstrap. */
  readonly folder: string;
  readonly pickerPort: number;
  /** Ports of the engines, by pool: on loopback the engines of a pool differ in them. */
  readonly pools: Readonly<Record<string, readonly number[]>>;
  /** What else the bootstrap is made of. @default answers of 60 s, 10 s without a byte, 2 retries */
  readonly input?: Partial<BootstrapInput>;
  /** Changes the bootstrap before it is used. @default nothing */
  readonly change?: (bootstrap: object) => unknown;
}

export interface SidecarEnvoy {
  readonly port: number;
  readonly adminPort: number;
  readonly process: RunningProcess;
  /** The value of a counter or gauge; 0 where Envoy has none of that name. */
  stat(name: string): Promise<number>;
}

/** Envoy with the bootstrap that the constructs ship for sidecar mode, ready. */
export async function startSidecarEnvoy(envoy: string, options: SidecarEnvoyOptions): Promise<SidecarEnvoy> {
  const [port, statusPort, adminPort] = (await freePorts(3)) as [number, number, number];
  const bootstrap = envoyBootstrap({
    pools: Object.entries(options.pools).map(([name, ports]) => ({ name, host: '127.0.0.1', ports, tls: false })),
    longestAnswerSeconds: 60,
    streamIdleSeconds: 10,
    retries: 2,
    controlHeaders: CONTROL_HEADERS,
    listenAddress: '127.0.0.1',
    listenPort: port,
    statusPort,
    adminPort,
    pickerPort: options.pickerPort,
    ...options.input,
  });
  const file = path.join(options.folder, `envoy-${port}.json`);
  writeFileSync(file, JSON.stringify(options.change?.(bootstrap) ?? bootstrap));
  const args = [
    '-c',
    file,
    '--concurrency',
    '1',
    '--use-dynamic-base-id',
    '--log-level',
    'warning',
    '--file-flush-interval-msec',
    '50',
  ];
  const process = await startProcess(envoy, { args, ready: { port } });
  await eventually('Envoy is ready', async () => (await fetch(`http://127.0.0.1:${statusPort}/ready`)).status === 200);
  const stat = async (name: string): Promise<number> => {
    const filter = encodeURIComponent(`^${name.replaceAll('.', '\\.')}$`);
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=${filter}`)).text();
    return Number(/: (\d+)\s*$/.exec(text)?.[1] ?? 0);
  };
  return { port, adminPort, process, stat };
}
