import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EngineProfile } from '../../../src/simulation/engine/core/profile';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';

export interface EnginesOptions {
  /** One for each engine. */
  readonly profiles: readonly EngineProfile[];
  readonly adapters: readonly string[];
  readonly seed: number;
}

/** What engines have counted since they started, those that were replaced included. */
export interface EngineTotals {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Answers that each of them finished. */
  readonly finished: readonly number[];
}

/** How long a restarted engine takes to load its model: short beside a real one, as the whole run is. */
const LOAD_MS = 1_000;
/** As in `simulation/routing/traffic.ts`; a router sees the client's limit, which is far above. */
const drawTokens = (uniform: number): number => 20 + Math.floor(41 * uniform);

/** The engines of a run, each on a port of its own. */
class Engines {
  /** By place, those that came one after another; the last one runs. */
  private readonly places: RunningEngine[][] = [];

  public constructor(private readonly options: EnginesOptions) {}

  public async start(): Promise<number[]> {
    for (const i of this.options.profiles.keys()) this.places.push([await this.engine(i)]);
    return this.places.map(([engine]) => engine!.port);
  }

  /** The first ends as a server that is asked to: it takes no connection any more, finishes its answers, and comes back with nothing cached. */
  public async restart(): Promise<void> {
    const [first] = this.places;
    const { port, drain } = first!.at(-1)!;
    await drain();
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
    first!.push(await this.engine(0, port));
  }

  public totals(): EngineTotals {
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
    const stats = this.places.map((place) => place.map(({ engine }) => engine.stats));
    return {
      promptTokens: sum(stats.flat().map(({ prefixQueriedTokens }) => prefixQueriedTokens)),
      cachedTokens: sum(stats.flat().map(({ prefixHitTokens }) => prefixHitTokens)),
      finished: stats.map((place) => sum(place.map(({ finished }) => finished.stop + finished.length))),
    };
  }

  private engine(place: number, port?: number): Promise<RunningEngine> {
    const { profiles, adapters, seed } = this.options;
    // the same seed for all: what is answered does not depend on who answers
    return runEngine({
      port,
      profile: profiles[place]!,
      seed,
      adapters: Object.fromEntries(adapters.map((name) => [name, name])),
      drawTokens,
    });
  }
}

/** `engines.js OPTIONS`: prints the engines' ports and one where `GET /totals` answers and `POST /restart` replaces the first engine. */
async function main(): Promise<void> {
  const engines = new Engines(JSON.parse(process.argv[2]!) as EnginesOptions);
  const ports = await engines.start();
  const control = createServer((request, response) => {
    if (request.method === 'POST') void engines.restart();
    response.end(JSON.stringify(engines.totals()));
  });
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  process.stdout.write(`control ${(control.address() as AddressInfo).port} engines ${ports.join(',')}\n`);
}

if (require.main === module) void main();
