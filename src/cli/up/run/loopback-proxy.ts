import { accessSync, constants, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { delimiter, join } from 'node:path';
import { embeddedProxy } from '../embedded-proxy/embedded-proxy';
import { PickerConnection } from '../embedded-proxy/picker-connection';
import type { ProxyRoute } from '../embedded-proxy/routing';
import type { EnginePlan } from '../plan/engine-plans';
import type { PickerPlan } from '../plan/picker-plans';
import type { Plan } from '../plan/plan';
import type { RouteTarget } from '../plan/route-plans';
import { ChildProgram } from './child-program';
import { addEarlyHeaders, type RouteCluster, routesBootstrap, sidecarBootstrap } from './envoy-bootstrap';
import { freePorts } from './free-ports';
import type { LoopbackPicker } from './loopback-picker';
import { verifiedHeaders } from './picker-files';

/** What takes requests, whichever program it is. */
export interface LoopbackProxy {
  readonly kind: 'envoy' | 'embedded';
  readonly port: number;
  /** Undefined for the embedded one. */
  readonly program?: ChildProgram;
  stop(): Promise<void>;
}

export interface ProxyInput {
  readonly plan: Plan;
  readonly pickers: readonly LoopbackPicker[];
  readonly portOf: (engine: EnginePlan) => number;
  readonly port: number;
  readonly folder: string;
  readonly notice: (text: string) => void;
  readonly onLine?: (line: string) => void;
}

const READY_MS = 20_000;

/** Path given, `ENVOY`, or `envoy` on `PATH`. */
export function findEnvoy(given: string | undefined): string | undefined {
  const named = given ?? process.env['ENVOY'];
  const places =
    named !== undefined && named !== ''
      ? [named]
      : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'envoy'));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Envoy, with the bootstrap of the manifests where they have one. @throws with what Envoy printed */
export async function startEnvoy(envoy: string, input: ProxyInput): Promise<LoopbackProxy> {
  const [admin, status] = (await freePorts(2)) as [number, number];
  const file = join(input.folder, 'envoy.json');
  const bootstrap = bootstrapOf(input, { listen: input.port, admin, status });
  addEarlyHeaders(bootstrap, verifiedHeaders(input.pickers.map(({ policy }) => policy)));
  writeFileSync(file, JSON.stringify(bootstrap));
  const program = new ChildProgram(envoy, {
    args: ['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'warning', '--drain-time-s', '1'],
    ...(input.onLine === undefined ? {} : { onLine: input.onLine }),
  });
  const isReady = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${admin}/ready`).catch(() => undefined))?.status === 200;
  if (await program.ready(isReady, READY_MS)) return { kind: 'envoy', port: input.port, program, stop: () => program.stop() };
  await program.stop();
  throw new Error(`Envoy (${envoy}) does not start:\n${program.output.trim().split('\n').slice(-10).join('\n')}`);
}

function bootstrapOf(
  { plan, pickers, portOf, notice }: ProxyInput,
  ports: { listen: number; admin: number; status: number },
): unknown {
  const { front } = plan;
  if (front.kind === 'sidecar') {
    const enginePorts = (host: string, port: number): number[] => front.enginesAt(host, port).map(portOf);
    return sidecarBootstrap(front.bootstrap, ports, pickers[0]!.ports.grpc, enginePorts, notice);
  }
  const clusters = new Map<string, RouteCluster>();
  const names = {
    cluster: ({ cluster, picker }: RouteTarget) => `${picker.namespace}/${cluster}`,
    picker: ({ picker }: RouteTarget) => `picker ${picker.namespace}/${picker.name}`,
  };
  for (const target of front.routes.flatMap(({ targets }) => targets)) {
    clusters.set(names.cluster(target), { name: names.cluster(target), ports: target.engines.map(portOf) });
  }
  const pickerPorts = new Map(pickers.map(({ plan: own, ports: { grpc } }) => [`picker ${own.namespace}/${own.name}`, grpc]));
  return routesBootstrap(front.routes, [...clusters.values()], pickerPorts, names, ports);
}

export async function startEmbeddedProxy(input: ProxyInput): Promise<LoopbackProxy> {
  const { plan, pickers, portOf } = input;
  const connections = new Map<PickerPlan, PickerConnection>(
    pickers.map(({ plan: own, ports }) => [own, new PickerConnection(ports.grpc)]),
  );
  const addresses = (engines: readonly EnginePlan[]): string[] => engines.map((engine) => `127.0.0.1:${portOf(engine)}`);
  const { front } = plan;
  const pools = new Map(pickers.flatMap(({ plan: own }) => own.pools.map(({ name, engines }) => [name, addresses(engines)])));
  const server = embeddedProxy({
    routes:
      front.kind === 'sidecar'
        ? sidecarRoutes(connections.get(front.picker)!)
        : front.routes.map(
            (route): ProxyRoute => ({
              match: route.match,
              targets: route.targets.map(({ weight, picker, engines }) => ({
                weight,
                picker: connections.get(picker)!,
                endpoints: addresses(engines),
              })),
            }),
          ),
    poolEndpoints: (pool) => pools.get(pool),
    addHeaders: verifiedHeaders(pickers.map(({ policy }) => policy)),
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(input.port, '127.0.0.1', resolve));
  return {
    kind: 'embedded',
    port: input.port,
    stop: async () => {
      await close(server);
      for (const connection of connections.values()) connection.close();
    },
  };
}

function sidecarRoutes(picker: PickerConnection): ProxyRoute[] {
  return [{ match: { pathType: 'PathPrefix', path: '/', headers: [] }, targets: [{ weight: 1, picker, endpoints: undefined }] }];
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
