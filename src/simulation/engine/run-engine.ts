import type { AddressInfo } from 'node:net';
import { Engine } from './core/engine';
import { type EngineFaults, engineFaults } from './core/faults';
import { type EngineProfile, engineProfile } from './core/profile';
import { seededRandom } from './core/random';
import type { AnswerMode } from './http/answer';
import { engineServer } from './http/server';
import { WallTimeline } from './http/wall-timeline';

export interface RunEngineOptions {
  /** @default 0: any free port */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** Names of the base model. @default ['llama'] */
  readonly models?: readonly string[];
  /** Adapter name to path. @default {} */
  readonly adapters?: Readonly<Record<string, string>>;
  /** Changes of the default profile. */
  readonly profile?: Partial<EngineProfile>;
  /** What is wrong with it from the start; `POST /simulation/faults` changes that. @default nothing */
  readonly faults?: Partial<EngineFaults>;
  /** Simulated milliseconds in one of the wall clock. @default 1 */
  readonly speed?: number;
  /** @default 1 */
  readonly seed?: number;
  /** @default 'generate' */
  readonly mode?: AnswerMode;
  /** Mean length of a generated answer. @default 100 */
  readonly meanOutputTokens?: number;
  /** Length of a generated answer, made of a number that is uniform in [0, 1). @default exponential with `meanOutputTokens` */
  readonly drawTokens?: (uniform: number) => number;
  /** Sent back as `x-inference-pod`, so that a client can see who answered. */
  readonly podName?: string;
}

export interface RunningEngine {
  readonly port: number;
  readonly url: string;
  /** The simulation itself, to look into or to put load on without HTTP. */
  readonly engine: Engine;
  /** Takes no connection any more and ends when the answers under way are finished, as a server that is asked to end. */
  drain(): Promise<void>;
  /** Closes every connection at once, as a killed engine does. */
  close(): Promise<void>;
}

/** Starts a simulated engine behind an OpenAI-compatible HTTP server. */
export async function runEngine(options: RunEngineOptions = {}): Promise<RunningEngine> {
  const profile = engineProfile(options.profile);
  const seed = options.seed ?? 1;
  const timeline = new WallTimeline(options.speed);
  const engine = new Engine(timeline, profile, seed);
  engine.faults = engineFaults(options.faults ?? {});
  for (const [name, path] of Object.entries(options.adapters ?? {})) engine.adapters.register(name, path);

  const server = engineServer(
    {
      engine,
      models: options.models ?? ['llama'],
      answers: {
        mode: options.mode ?? 'generate',
        seed,
        meanOutputTokens: options.meanOutputTokens ?? 100,
        drawTokens: options.drawTokens,
      },
      createdSeconds: Math.floor(Date.now() / 1000),
      chance: seededRandom(seed),
    },
    options.podName === undefined ? {} : { 'x-inference-pod': options.podName },
  );
  // Proxies keep idle connections longer than Node's 5 s; closing under them would lose a request now and then.
  server.keepAliveTimeout = 600_000;
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port ?? 0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    engine,
    drain: () =>
      new Promise((resolve) => {
        // a connection whose answer has ended would be kept open for the next request
        const idle = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearInterval(idle);
          timeline.stop();
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        timeline.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
