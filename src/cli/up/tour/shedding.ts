import type { PickerPolicy } from '../../../picker-config/picker-policy';
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
const PER_WAVE = 8;
const WAVE_MS = 50;
const LONG_WORDS = 4_000;
/** Long prompts that keep two engines busy for a second, where a budget allows no more. */
const LONG_REQUESTS = 24;
/** Of a client's budget; the rest is for the steps before and after. */
const SHARE_OF_BUDGET = 0.6;
/** More than engines take at a time. */
const MAX_PER_ENGINE = 300;
/** Seconds that a client of the flood waits for its turn, as the SDKs say it. */
const PATIENCE = { 'x-stainless-timeout': '2' };

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

/** Floods the pool with sheddable requests until one is refused, and asks the preferred model meanwhile. */
export async function shed({ preferred, sheddable }: Rivals, send: Send, stopped: AbortSignal): Promise<Shedding> {
  const budget = smallestBudget(sheddable.picker.policy);
  const most = MAX_PER_ENGINE * sheddable.engines.length;
  const impatient: Way = { ...sheddable, headers: { ...sheddable.headers, ...PATIENCE } };
  const longWords = Math.min(
    LONG_WORDS,
    (sheddable.engines[0]!.profile.maxModelTokens ?? Number.POSITIVE_INFINITY) / 3,
    (SHARE_OF_BUDGET * budget) / LONG_REQUESTS,
  );
  const flood: Promise<ChatAnswer>[] = [];
  const asked: Promise<ChatAnswer>[] = [];
  let refusals = 0;
  for (let wave = 0; flood.length < most && !stopped.aborted; wave++) {
    // The preferred come when the pool is full, and go on when it begins to refuse.
    if (refusals > 0 && asked.length >= PREFERRED) break;
    if (flood.length >= LONG_REQUESTS && asked.length < PREFERRED) {
      asked.push(send(preferred, 'beside a flood', { prompt: `urgent ${wave}`, maxTokens: 16 }));
    }
    for (let index = 0; index < PER_WAVE && refusals === 0; index++) {
      const words = flood.length < LONG_REQUESTS || budget === Number.POSITIVE_INFINITY ? longWords : 8;
      const sent = send(impatient, 'flood', { prompt: `${Math.random()} ${'word '.repeat(words)}`, maxTokens: 16 });
      flood.push(sent);
      void sent.then(({ status }) => {
        if (status === 429) refusals++;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, WAVE_MS));
  }
  return { preferred: await Promise.all(asked), sheddable: await Promise.all(flood) };
}

/** Tokens of the smallest budget that is in force; words of the flood are a little more than a token. */
function smallestBudget(policy: PickerPolicy | undefined): number {
  const budgets = policy?.limits.filter(({ unit, shadow }) => unit === 'tokens' && !shadow) ?? [];
  return Math.min(...budgets.map(({ amount }) => amount / 1.5), Number.POSITIVE_INFINITY);
}

/** A class that the headers name goes before the body. */
function priorityOf({ picker: { policy }, model, headers }: Way): number {
  const { header = '', values = {} } = policy?.classes ?? {};
  const asked = values[headers[header] ?? ''] ?? model;
  return policy?.models.find(({ name, aliases }) => name === asked || aliases.includes(asked))?.priority ?? 0;
}
