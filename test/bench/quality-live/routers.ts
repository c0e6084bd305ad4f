import { dirname, join } from 'node:path';
import { bundled } from '../../components/bundle';
import type { Component } from '../../components/component';
import { type EnvoyOptions, startEnvoy } from '../../components/envoy-bootstrap';
import { writePickerFiles } from '../../components/picker-files';
import { startPickerProgram } from '../../components/picker-process';
import { freePorts, type RunningProcess, startProcess } from '../../components/process';
import { components, findComponent, requireComponent } from '../../components/resolver';

/** What stands between clients and engines. */
export interface LiveRouter {
  readonly name: string;
  /** The programs that it needs. */
  readonly needs: readonly Component[];
  /** Where clients find it, and its processes by name. @param folder for its files */
  start(enginePorts: readonly number[], folder: string): Promise<StartedRouter>;
}

export interface StartedRouter {
  readonly port: number;
  readonly processes: Readonly<Record<string, RunningProcess>>;
}

/** Why a router cannot run here; undefined when it can. */
export function missingFor({ needs }: LiveRouter): string | undefined {
  const missing = needs.flatMap((component) => {
    const found = findComponent(component);
    return 'missing' in found ? [found.missing] : [];
  });
  return missing.length === 0 ? undefined : missing.join('; ');
}

const { envoy, epp, smg, 'vllm-router': vllmRouter, 'sglang-router': sglangRouter } = components;

async function behindEnvoy(options: EnvoyOptions): Promise<StartedRouter> {
  const started = await startEnvoy(requireComponent('envoy'), options);
  return { port: started.port, processes: { envoy: started.process } };
}

/** A picker that Envoy asks. @param command its program */
function picker(
  name: string,
  needs: readonly Component[],
  scheduling: 'reference' | 'none',
  command: () => [string, ...string[]],
): LiveRouter {
  return {
    name,
    needs: [envoy, ...needs],
    start: async (enginePorts, folder) => {
      const running = await startPickerProgram(command(), writePickerFiles(folder, enginePorts, scheduling));
      const { port, processes } = await behindEnvoy({ pickerPort: running.grpcPort, enginePorts });
      return { port, processes: { ...processes, picker: running } };
    },
  };
}

function envoyAlone(name: string, balance: 'least_request' | 'random'): LiveRouter {
  return { name, needs: [envoy], start: (enginePorts) => behindEnvoy({ enginePorts, balance }) };
}

/** A router from PyPI, which is a proxy itself and has no Envoy in front. Its defaults, but on loopback only and with a quiet log. */
function pythonRouter(component: Component, firstArgs: readonly string[], logLevel: string): LiveRouter {
  const { name } = component;
  return {
    name,
    needs: [component],
    start: async (enginePorts, folder) => {
      const found = findComponent(component);
      if ('missing' in found) throw new Error(found.missing);
      const [port, metricsPort] = (await freePorts(2)) as [number, number];
      const args = [
        ...[join(dirname(found.path), name), ...firstArgs],
        ...[
          '--host',
          '127.0.0.1',
          '--port',
          String(port),
          '--prometheus-host',
          '127.0.0.1',
          '--prometheus-port',
          String(metricsPort),
        ],
        ...['--log-level', logLevel, '--worker-urls', ...enginePorts.map((engine) => `http://127.0.0.1:${engine}`)],
      ];
      const running = await startProcess(found.path, { args, cwd: folder, ready: { port }, readyTimeoutMs: 60_000 });
      return { port, processes: { router: running } };
    },
  };
}

/** This project's picker as it decides without a word of configuration. */
export const OURS = 'default';
/** The reference picker with its own default, queue 2, KV cache 2, prefix 3. */
export const REFERENCE = 'llm-d';

export const LIVE_ROUTERS: readonly LiveRouter[] = [
  picker(OURS, [], 'none', () => [process.execPath, bundled('picker/main.ts')]),
  picker(REFERENCE, [epp], 'reference', () => [requireComponent('epp')]),
  pythonRouter(smg, ['launch'], 'warn'),
  pythonRouter(vllmRouter, [], 'warning'),
  pythonRouter(sglangRouter, ['launch'], 'warn'),
  envoyAlone('least-request', 'least_request'),
  envoyAlone('random', 'random'),
];
