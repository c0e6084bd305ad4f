import { setTimeout as pause } from 'node:timers/promises';
import type { EngineFaults } from '../../../simulation/engine/core/faults';
import type { Session } from '../run/session';
import type { ChatAnswer } from './chat-request';
import type { Way } from './ways';

/** Two models of one pool, of which the second may be refused for the first. */
export interface Rivals {
  readonly preferred: Way;
  readonly sheddable: Way;
}

export interface Shedding {
  readonly preferred: readonly ChatAnswer[];
  readonly sheddable: readonly ChatAnswer[];
}

type Send = (way: Way, what: string, options: { prompt: string; maxTokens: number }) => Promise<ChatAnswer>;

const PREFERRED = 8;
const PER_WAVE = 40;
const WAVE_MS = 50;
/** More than engines take at a time. */
const MAX_PER_ENGINE = 300;
/** So slow that requests pile up however slowly this machine sends them: about a tenth of a second for a token. */
const STEP_FACTOR = 5;
/** Seconds that a client of the flood waits for its turn, as the SDKs say it. */
const PATIENCE = { 'x-stainless-timeout': '4' };

/** The models of one pool whose priorities are furthest apart. */
export function rivalsAmong(ways: readonly Way[]): Rivals | undefined {
  let best: { readonly rivals: Rivals; readonly distance: number } | undefined;
  for (const sheddable of ways) {
    const low = priorityOf(sheddable);
    if (low >= 0) continue;
    for (const preferred of ways) {
      const distance = priorityOf(preferred) - low;
      const share = preferred.picker === sheddable.picker && preferred.engines.some((one) => sheddable.engines.includes(one));
      if (distance > (best?.distance ?? 0) && share) best = { rivals: { preferred, sheddable }, distance };
    }
  }
  return best?.rivals;
}

/** Slows the engines, floods their pool with sheddable requests until one is refused, and asks the preferred model meanwhile. */
export async function shed(
  { preferred, sheddable }: Rivals,
  session: Session,
  send: Send,
  stopped: AbortSignal,
): Promise<Shedding> {
  const engines = [...new Set([...preferred.engines, ...sheddable.engines])];
  const slow = (slowFactor: number): Promise<unknown> =>
    Promise.all(engines.map((engine) => setFaults(session.portOf(engine), { slowFactor })));
  const impatient: Way = { ...sheddable, headers: { ...sheddable.headers, ...PATIENCE } };
  const most = MAX_PER_ENGINE * sheddable.engines.length;
  const flood: Promise<ChatAnswer>[] = [];
  const asked: Promise<ChatAnswer>[] = [];
  let refusals = 0;
  await slow(STEP_FACTOR * session.speed);
  try {
    while (flood.length < most && !stopped.aborted && (refusals === 0 || asked.length < PREFERRED)) {
      if (asked.length < PREFERRED) {
        asked.push(send(preferred, 'beside a flood', { prompt: `urgent ${asked.length}`, maxTokens: 8 }));
      }
      for (let index = 0; index < PER_WAVE && refusals === 0; index++) {
        const sent = send(impatient, 'flood', { prompt: `${Math.random()}`, maxTokens: 8 });
        flood.push(sent);
        void sent.then(({ status }) => {
          if (status === 429) refusals++;
        });
      }
      await pause(WAVE_MS);
    }
    return { preferred: await Promise.all(asked), sheddable: await Promise.all(flood) };
  } finally {
    await slow(1);
  }
}

async function setFaults(port: number, faults: Partial<EngineFaults>): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/simulation/faults`, { method: 'POST', body: JSON.stringify(faults) });
}

/** A class that the headers name goes before the body. */
function priorityOf({ picker: { policy }, model, headers }: Way): number {
  const { header = '', values = {} } = policy?.classes ?? {};
  const asked = values[headers[header] ?? ''] ?? model;
  return policy?.models.find(({ name, aliases }) => name === asked || aliases.includes(asked))?.priority ?? 0;
}
