import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundled } from '../../components/bundle';
import { policyFlags } from '../../components/picker-files';
import { eventually, freePorts, type RunningProcess, startProcess } from '../../components/process';
import { startSidecarEnvoy } from '../../components/sidecar-envoy';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A filter of the proxy, as its bootstrap has it. */
interface HttpFilter {
  name: string;
  typed_config: Record<string, unknown>;
}

/** Of the listener for clients. */
export interface ConnectionManager {
  http_filters: HttpFilter[];
  route_config: { virtual_hosts: { routes: Record<string, unknown>[] }[] };
}

export function connectionManager(bootstrap: object): ConnectionManager {
  const { static_resources } = bootstrap as { static_resources: { listeners: Listener[] } };
  return static_resources.listeners
    .flatMap(({ filter_chains }) => filter_chains.flatMap(({ filters }) => filters))
    .map(({ typed_config }) => typed_config)
    .find(({ http_filters }) => http_filters.some(({ name }) => name.includes('ext_proc')))!;
}

interface Listener {
  filter_chains: { filters: { typed_config: ConnectionManager }[] }[];
}

/** A picker behind an Envoy of its own, in sidecar mode; several may share a folder, and so a policy. */
export class PickerBehindEnvoy {
  private constructor(
    public readonly port: number,
    private readonly metricsPort: number,
    private readonly debugPort: number,
    private readonly pickerArgs: readonly string[],
    public picker: RunningProcess,
    private readonly envoy: RunningProcess,
  ) {}

  public static async start(
    envoy: string,
    folder: string,
    pools: Readonly<Record<string, number>>,
    change?: (bootstrap: object) => void,
  ): Promise<PickerBehindEnvoy> {
    const [grpc, health, metrics, debug] = (await freePorts(4)) as [number, number, number, number];
    const flags = policyFlags(path.join(folder, 'policy.yaml'), { grpc, health, metrics, debug });
    const pickerArgs = [bundled('picker/main.ts'), ...flags];
    const picker = await startPicker(pickerArgs);
    const { port, process: proxy } = await startSidecarEnvoy(envoy, {
      folder,
      pickerPort: grpc,
      pools: Object.fromEntries(Object.entries(pools).map(([name, enginePort]) => [name, [enginePort]])),
      input: { retries: 0 },
      ...(change === undefined ? {} : { change }),
    });
    return new PickerBehindEnvoy(port, metrics, debug, pickerArgs, picker, proxy);
  }

  public chat(headers: Record<string, string>, more: object = {}): Promise<Answer> {
    const body = { model: 'llama', messages: [{ role: 'user', content: 'hello there' }], ...more };
    return send(this.port, 'POST', '/v1/chat/completions', headers, body);
  }

  /** Sum of the samples of a metric whose labels hold all of these. */
  public async metric(name: string, ...labels: string[]): Promise<number> {
    const { body } = await send(this.metricsPort, 'GET', '/metrics');
    return body
      .split('\n')
      .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** A page of the debug port. */
  public async debug(page: string): Promise<any> {
    return JSON.parse((await send(this.debugPort, 'GET', `/debug/${page}`)).body);
  }

  public async limits(): Promise<{ name: string; highest: Record<string, number | string>[] }[]> {
    return JSON.parse((await send(this.debugPort, 'GET', '/debug/limits')).body).limits;
  }

  /** Ends the picker and starts it anew, with the same arguments. @param signal as the kernel or Kubernetes would send it */
  public async restartPicker(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.picker.stop(signal);
    this.picker = await startPicker(this.pickerArgs);
  }

  public async stop(): Promise<void> {
    await this.envoy.stop();
    await this.picker.stop();
  }
}

function startPicker(args: readonly string[]): Promise<RunningProcess> {
  return startProcess(process.execPath, { args: [...args], ready: /endpoint picker is serving/ });
}

/** Waits until the expectations are met. */
export async function holds(check: () => Promise<void>): Promise<void> {
  await eventually('the expectations', async () => {
    await check();
    return true;
  });
}

export function scratchFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'budgets-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** @param leaveAfter bytes of the answer after which the client goes */
export function send(
  port: number,
  method: string,
  url: string,
  headers: Record<string, string> = {},
  json?: object,
  leaveAfter = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const type =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ port, host: '127.0.0.1', method, path: url, headers: { ...type, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const done = (): void =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') });
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < leaveAfter) return;
        outgoing.destroy();
        done();
      });
      incoming.on('error', () => done());
      incoming.on('end', done);
    });
    outgoing.on('error', (error) => (leaveAfter === Number.POSITIVE_INFINITY ? reject(error) : undefined));
    outgoing.end(body);
  });
}
