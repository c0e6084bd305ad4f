import type { Scheduler } from '../../../../src/picker/scheduling/scheduler';
import { buildScheduler, DEFAULT_SCHEDULING } from '../../../../src/picker/scheduling/scheduler-builder';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf, requestFor } from './support/pool';

/** Tokens of every engine's cache. */
const CACHE = 8_192;
const TOKEN_BYTES = 4;

class Pool {
  public readonly scheduler: Scheduler;
  private readonly store;

  public constructor(endpoints: number, parameters = {}) {
    this.store = poolOf(...Array.from({ length: endpoints }, () => ({})));
    const { table } = this.store.snapshot;
    for (let slot = 0; slot < endpoints; slot++) {
      table.kvBlocks[slot] = CACHE / 16;
      table.blockSizeTokens[slot] = 16;
    }
    const [scorer, picker] = DEFAULT_SCHEDULING.plugins;
    const config = { ...DEFAULT_SCHEDULING, plugins: [{ ...scorer!, parameters }, picker!] };
    const built = buildScheduler(config, { source: this.store, clock: new ManualClock(10), random: new SeededRandom(1) });
    this.scheduler = built.scheduler!;
  }

  /** Where a prompt goes. It ends at once, unless it is told to stay. @param only slots that may be chosen */
  public send(prompt: string, { only, stays = false }: { only?: number; stays?: boolean } = {}): number {
    const subset = only === undefined ? undefined : [`10.0.0.${only}`];
    const { flight } = this.scheduler.schedule(requestFor(prompt, { subset }));
    if (!stays) this.scheduler.settle(flight);
    return flight.slot;
  }

  /** Requests that are under way at an endpoint. */
  public occupy(slot: number, count: number): void {
    for (let i = 0; i < count; i++) this.send('', { only: slot, stays: true });
  }
}

const prompt = (name: string, tokens: number): string => name.repeat((tokens * TOKEN_BYTES) / name.length);

test('prompts that nobody has go where caches have room', () => {
  const pool = new Pool(4);
  const homes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => pool.send(prompt(name, 3_072)));
  // one each, and then a second each
  expect(homes.slice(0, 4).sort()).toEqual([0, 1, 2, 3]);
  expect(homes.slice(4).sort()).toEqual([0, 1, 2, 3]);
});

test('where all caches are full, a new prompt goes where what it pushes out was not asked for in the longest time', () => {
  const pool = new Pool(2);
  for (const only of [0, 1]) for (const name of ['a', 'b']) pool.send(prompt(`${name}${only}`, CACHE / 2), { only });
  for (let i = 0; i < 5; i++) for (const name of ['a', 'b']) pool.send(prompt(`${name}1`, CACHE / 2), { only: 1 });
  expect(pool.send(prompt('new!', CACHE / 2))).toBe(0);
});

test('of two copies the one that was used last goes on, so that the other can make room', () => {
  const pool = new Pool(2);
  pool.send(prompt('both', 2_048), { only: 1 });
  pool.send(prompt('more', 2_048), { only: 1 });
  pool.send(prompt('both', 2_048), { only: 0 });
  pool.send(prompt('less', 2_048), { only: 0 });
  pool.send(prompt('both', 2_048), { only: 0 });
  const homes = Array.from({ length: 10 }, () => pool.send(prompt('both', 2_048)));
  expect(homes).toEqual(new Array(10).fill(0));
});

test.each([
  ['asked for now and then stays at home', 'rare', 0],
  ['asked for all the time gets another home', 'often', 1],
] as const)('a prompt that is %s when its home is busy', (_, name, expected) => {
  const pool = new Pool(2);
  const texts = { rare: prompt('rare', 1_024), often: prompt('oft!', 1_024) };
  for (let i = 0; i < 60; i++) {
    // others fill the cache again and again; the rare one is nearly pushed out when it comes back
    for (const only of [0, 1]) pool.send(prompt(`${1_000 + i}`, 512), { only });
    pool.send(texts.often, { only: 0 });
    if (i % 8 === 0) pool.send(texts.rare, { only: 0 });
  }
  pool.occupy(0, 20);
  expect(pool.send(texts[name])).toBe(expected);
});

test('the weights that the configuration names are those that count', () => {
  const pool = new Pool(2, { stallWeight: 0, cacheWeight: 0, roomWeight: 0 });
  pool.send(prompt('home', 1_024), { only: 0 });
  pool.occupy(0, 3_000);
  expect(pool.send(prompt('home', 1_024))).toBe(1);
});
