import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startProcess } from '../../components/process';
import { bootstrap, type ListenerMode } from './bootstrap';

export interface RunningProxy {
  /** Port of the listener with a mode's name. */
  port(mode: string): number;
  /** Counters whose names match an expression. */
  stats(filter: string): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address: { readonly socket_address: { readonly port_value: number } };
}

/** Starts Envoy with one listener per mode. @param runtime feature flags, by their full names */
export async function startProxy(
  envoy: string,
  pickerPort: number,
  modes: readonly ListenerMode[],
  runtime: Readonly<Record<string, boolean>> = {},
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'ext-proc-'));
  const config = join(folder, 'envoy.json');
  const adminFile = join(folder, 'admin');
  writeFileSync(config, JSON.stringify(bootstrap(pickerPort, modes, runtime)));
  const args = ['-c', config, '--concurrency', '1', '--use-dynamic-base-id', '--admin-address-path', adminFile, '-l', 'warning'];
  const running = await startProcess(envoy, { args });
  const admin = await eventually('Envoy names its admin port', () => readFileSync(adminFile, 'utf8'));
  const ask = async (path: string) => fetch(`http://${admin}${path}`);
  const listeners = await eventually('Envoy listens', async () => {
    const answer = (await (await ask('/listeners?format=json')).json()) as { listener_statuses?: ListenerStatus[] };
    return answer.listener_statuses?.length === modes.length ? answer.listener_statuses : undefined;
  });
  const ports = new Map(listeners.map(({ name, local_address: address }) => [name, address.socket_address.port_value]));
  return {
    port: (mode) => ports.get(mode)!,
    stats: async (filter) => {
      const lines = (await (await ask(`/stats?filter=${encodeURIComponent(filter)}`)).text()).split('\n').filter(Boolean);
      return Object.fromEntries(lines.map((line) => [line.split(': ')[0]!, Number(line.split(': ')[1])]));
    },
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
