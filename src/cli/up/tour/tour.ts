import { setTimeout as pause } from 'node:timers/promises';
import { BoardWatch } from '../board/board-state';
import { limitText } from '../limit-text';
import type { EnginePlan } from '../plan/engine-plans';
import type { Session } from '../run/session';
import { type ChatAnswer, chat } from './chat-request';
import { type Client, clientsOf } from './credentials';
import { type Rivals, rivalsAmong, shed } from './shedding';
import { type Way, waysOf } from './ways';

/** What a step found: nothing wrong, or what. */
interface Finding {
  readonly detail: string;
  readonly wrong?: string;
}

const MAX_WAYS = 16;
const REQUESTS_AROUND_FAILURE = 24;
const BURST = 48;
const BURST_MS = 1_200;
/** A larger budget would take longer than a tour. */
const MAX_BUDGET_TOKENS = 300_000;
const PROMPT_WORDS = 4_000;
const BACK_LIMIT_MS = 25_000;

/** Sends requests whose answers the manifests foretell, and says what went where and why. @returns whether all of it came true */
export async function runTour(session: Session, say: (text: string) => void, stopped: AbortSignal): Promise<boolean> {
  const tour = new Tour(session, say, stopped);
  return tour.run();
}

class Tour {
  private readonly ways: readonly Way[];
  private readonly answers: { readonly what: string; readonly answer: ChatAnswer }[] = [];
  private failures = 0;
  private steps = 0;

  public constructor(
    private readonly session: Session,
    private readonly say: (text: string) => void,
    private readonly stopped: AbortSignal,
  ) {
    this.ways = waysOf(session);
  }

  public async run(): Promise<boolean> {
    const { session, ways } = this;
    const watch = new BoardWatch(session);
    // reading the page makes the pickers explain their decisions
    await watch.look();
    for (const way of ways.slice(0, MAX_WAYS)) await this.step(`model ${way.title}`, () => this.follow(way));
    for (const picker of session.pickers) {
      const way = ways.find((candidate) => candidate.picker === picker);
      if (way === undefined) continue;
      await this.step('a model that nobody has', () => this.unknownModel(way));
      if (clientsOf(picker).length > 0) await this.step('a client without a key', () => this.withoutKey(way));
    }
    const [first] = ways;
    if (first !== undefined) await this.step(`a stream of ${first.model}`, () => this.stream(first));
    const wide = this.ways.reduce<Way | undefined>(
      (best, way) => (way.engines.length > (best?.engines.length ?? 1) ? way : best),
      undefined,
    );
    if (wide !== undefined) {
      const [victim] = wide.engines;
      await this.step(`engine ${victim!.name} is killed while ${wide.model} is asked`, () => this.kill(wide, victim!));
      await this.step(`engine ${victim!.name} comes back`, () => this.revive(wide, victim!));
      await this.step(`a burst of ${BURST} requests for ${wide.model}`, () => this.burst(wide));
    }
    const rivals = rivalsAmong(ways);
    if (rivals !== undefined) {
      const title = `a flood of ${rivals.sheddable.model}, which may be shed, beside ${rivals.preferred.model}, on slow engines`;
      await this.step(title, () => this.shedding(rivals));
    }
    await this.budgets();
    if (this.stopped.aborted) return true;
    await this.summary(watch);
    return this.failures === 0;
  }

  private async step(title: string, work: () => Promise<Finding>): Promise<void> {
    if (this.stopped.aborted) return;
    const startedMs = Date.now();
    const { detail, wrong } = await work();
    if (this.stopped.aborted) return;
    this.steps++;
    if (wrong !== undefined) this.failures++;
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    this.say(
      `${wrong === undefined ? '✓' : '✗'} ${title}: ${detail} (${seconds} s)${wrong === undefined ? '' : `\n    EXPECTED ${wrong}`}`,
    );
  }

  private async send(way: Way, what: string, options: Parameters<typeof chat>[3] = {}): Promise<ChatAnswer> {
    const answer = await chat(this.session.url, way.model, way.headers, options);
    this.answers.push({ what, answer });
    return answer;
  }

  private async follow(way: Way): Promise<Finding> {
    const answer = await this.send(way, way.title);
    const names = way.engines.map(({ name }) => name);
    const isRight = answer.status === 200 && names.includes(answer.engine ?? '');
    const detail = `${answer.status} from ${answer.engine ?? 'no engine'}`;
    return isRight ? { detail } : { detail, wrong: `200 from ${names.join(' or ')}; got ${answer.body.slice(0, 200)}` };
  }

  private async unknownModel({ picker, headers }: Way): Promise<Finding> {
    const { status, engine } = await chat(this.session.url, 'no-such-model', headers);
    const { classes, defaultModel } = picker.policy ?? {};
    // A class that the headers name goes before the body.
    const fallback = classes?.values[headers[classes.header] ?? ''] ?? defaultModel;
    const detail = `${status}${engine === undefined ? '' : ` from ${engine}`}`;
    if (fallback === undefined) return status === 404 ? { detail } : { detail, wrong: '404' };
    return status === 200 ? { detail: `${detail}: it gets ${fallback}` } : { detail, wrong: `200: it gets ${fallback}` };
  }

  private async withoutKey({ model }: Way): Promise<Finding> {
    const { status } = await chat(this.session.url, model, {});
    return status === 401 ? { detail: '401' } : { detail: String(status), wrong: '401' };
  }

  private async stream(way: Way): Promise<Finding> {
    const { status, body, engine } = await this.send(way, `stream of ${way.model}`, { stream: true });
    const events = body.split('\n\n').filter((event) => event.startsWith('data: {')).length;
    const detail = `${status} from ${engine ?? 'no engine'}, ${events} events`;
    const isWhole = status === 200 && events > 1 && body.trimEnd().endsWith('data: [DONE]');
    return isWhole ? { detail } : { detail, wrong: 'several events, and [DONE] at the end' };
  }

  private async kill(way: Way, victim: EnginePlan): Promise<Finding> {
    const before = this.flight(way, 4, 'before the kill');
    await pause(150);
    await this.session.kill(victim);
    const after: ChatAnswer[] = [];
    for (let sent = 0; sent < REQUESTS_AROUND_FAILURE; sent += 4) after.push(...(await this.flight(way, 4, 'after the kill')));
    const cut = (await before).filter(({ status }) => status !== 200).length;
    const failed = after.filter(({ status, engine }) => status !== 200 || engine === victim.name);
    const detail = `${after.length - failed.length} of ${after.length} requests answered by the others; ${cut} that it was working on were cut`;
    return failed.length === 0
      ? { detail }
      : { detail, wrong: `every request that came after; got ${failed[0]!.status} ${failed[0]!.body.slice(0, 200)}` };
  }

  private async revive(way: Way, victim: EnginePlan): Promise<Finding> {
    await this.session.revive(victim);
    const startedMs = Date.now();
    while (Date.now() - startedMs < BACK_LIMIT_MS && !this.stopped.aborted) {
      const answers = await this.flight(way, 2 * way.engines.length, 'after its return');
      const failed = answers.find(({ status }) => status !== 200);
      if (failed !== undefined) return { detail: `${failed.status}`, wrong: `200; got ${failed.body.slice(0, 200)}` };
      if (answers.some(({ engine }) => engine === victim.name)) return { detail: 'it is asked again' };
      await pause(250);
    }
    return { detail: 'it is not asked again', wrong: `a request for it within ${BACK_LIMIT_MS / 1000} s` };
  }

  /** Within a second, not at once: between two reports of the engines a scorer of queues knows nothing of what it sent. */
  private async burst(way: Way): Promise<Finding> {
    const sent: Promise<ChatAnswer[]>[] = [];
    for (let index = 0; index < BURST; index++) {
      sent.push(this.flight(way, 1, 'burst'));
      await pause(BURST_MS / BURST);
    }
    const answers = (await Promise.all(sent)).flat();
    const counts = way.engines.map(({ name }) => answers.filter(({ engine }) => engine === name).length);
    const failed = answers.filter(({ status }) => status !== 200);
    const detail = way.engines.map(({ name }, index) => `${name} ${counts[index]}`).join(', ');
    const least = Math.floor(BURST / way.engines.length / 3);
    if (failed.length > 0)
      return { detail, wrong: `no failure; ${failed.length} failed: ${failed[0]!.status} ${failed[0]!.body.slice(0, 200)}` };
    return counts.every((count) => count >= least) ? { detail } : { detail, wrong: `at least ${least} for each engine` };
  }

  private async shedding(rivals: Rivals): Promise<Finding> {
    const { preferred, sheddable } = await shed(
      rivals,
      this.session,
      (way, what, options) => this.send(way, what, options),
      this.stopped,
    );
    const answered = (answers: readonly ChatAnswer[]): number => answers.filter(({ status }) => status === 200).length;
    const shedOnes = sheddable.filter(({ status, droppedReason }) => status === 429 && droppedReason !== undefined);
    const [first] = shedOnes;
    const detail = `${answered(preferred)} of ${preferred.length} of ${rivals.preferred.model} answered; of ${sheddable.length} others ${answered(sheddable)} answered, ${shedOnes.length} refused with 429 (${first?.droppedReason ?? 'none'}), Retry-After ${first?.retryAfter ?? 'missing'}`;
    const isRight =
      answered(preferred) === preferred.length &&
      shedOnes.length > 0 &&
      shedOnes.every(({ retryAfter }) => retryAfter !== undefined) &&
      answered(sheddable) + shedOnes.length === sheddable.length;
    const wrong = `every ${rivals.preferred.model} answered, and of the others some refused with Retry-After`;
    return isRight ? { detail } : { detail, wrong };
  }

  private async budgets(): Promise<void> {
    for (const picker of this.session.pickers) {
      const limit = picker.policy?.limits.find(
        ({ unit, key, shadow, amount }) => unit === 'tokens' && key.source === 'client' && !shadow && amount <= MAX_BUDGET_TOKENS,
      );
      const way = this.ways.find(
        (candidate) => candidate.picker === picker && (limit?.models === undefined || limit.models.includes(candidate.model)),
      );
      const [first, second] = clientsOf(picker);
      if (limit === undefined || way === undefined || first === undefined || second === undefined) continue;
      const title = `client ${second.name} spends its ${limitText(limit)} (${limit.name})`;
      await this.step(title, () => this.budget(way, limit.amount, second, first));
    }
  }

  private async budget(way: Way, amount: number, spender: Client, other: Client): Promise<Finding> {
    const words = Math.min(PROMPT_WORDS, (way.engines[0]!.profile.maxModelTokens ?? Number.POSITIVE_INFINITY) / 3);
    const spend = (): Promise<ChatAnswer> =>
      this.send({ ...way, headers: { ...way.headers, ...spender.headers } }, `budget of ${spender.name}`, {
        prompt: `${Math.random()} ${'word '.repeat(words)}`,
        maxTokens: 4,
      });
    let answered = 0;
    let refused: ChatAnswer | undefined;
    // a token may be several words
    for (let sent = 0; refused === undefined && sent < (4 * amount) / words && !this.stopped.aborted; sent += 4) {
      const answers = await Promise.all([spend(), spend(), spend(), spend()]);
      answered += answers.filter(({ status }) => status === 200).length;
      refused = answers.find(({ status }) => status !== 200);
    }
    const neighbour = await this.send({ ...way, headers: { ...way.headers, ...other.headers } }, 'beside a spent budget');
    const detail = `${answered} large requests answered, then ${refused?.status ?? 'no refusal'}, Retry-After ${refused?.retryAfter ?? 'missing'}; ${other.name} gets ${neighbour.status}`;
    const isRight = refused?.status === 429 && refused.retryAfter !== undefined && answered > 0 && neighbour.status === 200;
    return isRight ? { detail } : { detail, wrong: `answers, then 429 with Retry-After, and 200 for ${other.name}` };
  }

  /** Requests at the same time, each with a prompt of its own, so that no prefix cache draws them to one engine. */
  private flight(way: Way, count: number, what: string): Promise<ChatAnswer[]> {
    const prompt = (index: number): string => `${what} ${index} ${Date.now()}: ${'tell me something else '.repeat(8)}`;
    return Promise.all(
      Array.from({ length: count }, (_, index) => this.send(way, what, { prompt: prompt(index), maxTokens: 32 })),
    );
  }

  private async summary(watch: BoardWatch): Promise<void> {
    const { say } = this;
    const { decisions } = await watch.look();
    say('\nWhat went where:');
    const engines = new Map<string, Map<string, number>>();
    for (const { what, answer } of this.answers) {
      const name = answer.engine ?? `no engine (${answer.status})`;
      const counts = engines.get(name) ?? new Map<string, number>();
      engines.set(name, counts.set(what, (counts.get(what) ?? 0) + 1));
    }
    for (const [name, counts] of [...engines].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      say(
        `  ${name.padEnd(24)} ${String(total).padStart(3)}  ${[...counts].map(([what, count]) => `${what} ${count}`).join(', ')}`,
      );
    }
    say('\nWhy, for the last of each model:');
    const told = new Set<string>();
    for (const { model, result, why } of decisions) {
      if (why === undefined || told.has(model)) continue;
      told.add(model);
      say(`  ${model} → ${result}: ${why}`);
    }
    say(`\n${this.steps - this.failures} of ${this.steps} expectations held`);
  }
}
