import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import type { ResolvedModel } from '../../src/picker/director/model-resolver';
import { ReusedRequest } from '../../src/picker/director/picker-director';
import { PolicyModelResolver } from '../../src/picker/director/policy-model-resolver';
import type { RequestFacts } from '../../src/picker/ext-proc/director';
import { BodyScan, scanBody } from '../../src/picker/openai/body-scanner';
import { buildScheduler, DEFAULT_SCHEDULING } from '../../src/picker/scheduling/scheduler-builder';
import { EMPTY_PICKER_POLICY } from '../../src/picker-config/picker-policy';
import { monotonicClock } from '../../src/shared/clock';
import { SeededRandom } from '../../src/shared/random';
import { callCost } from './support/call-cost';

/** Requests that are under way at once. */
const UNDER_WAY = 256;
/** Different prompts; more than the index of one endpoint remembers blocks of. */
const PROMPTS = 4_096;
const MEMORY_PICKS = 2_000_000;

/**
 * A decision from the request's name of a model to its end: model resolution by a policy, every signal of the default profile, the books of
 * 256 requests that are under way, and what their ends teach. The transport, and the scan of the body, are not in it.
 */
class Decisions {
  private readonly resolver: PolicyModelResolver;
  private readonly scheduler;
  private readonly facts = new ReusedRequest();
  private readonly resolved: ResolvedModel = { model: '', targetModel: '', attempts: [] };
  private readonly flights: { settle(): void }[] | unknown[] = new Array(UNDER_WAY);
  private readonly requests: readonly RequestFacts[];

  public constructor(
    private readonly store: EndpointStore,
    models: number,
    promptBytes: number,
  ) {
    const policy = {
      ...EMPTY_PICKER_POLICY,
      pools: [{ name: 'pool', endpoints: { kind: 'file', path: 'endpoints.yaml' } as const }],
      models: Array.from({ length: models }, (_, index) => ({
        ...{ name: `model-${index}`, aliases: [], priority: 0, adapters: [] },
        targets: ['stable', 'next'].map((version) => ({ pool: 'pool', model: `model-${index}-${version}`, weight: 1 })),
        stickiness: { source: 'header', name: 'x-session-id' } as const,
      })),
    };
    const pool = { name: 'pool', endpoints: store, setHeaders: undefined };
    this.resolver = new PolicyModelResolver(policy, new Map([['pool', pool]]), new SeededRandom(1));
    const dependencies = { source: store, clock: monotonicClock, random: new SeededRandom(1) };
    this.scheduler = buildScheduler(DEFAULT_SCHEDULING, dependencies).scheduler!;
    this.requests = Array.from({ length: PROMPTS }, (_, index) => requestFor(`model-${index % models}`, index, promptBytes));
    this.dirty();
  }

  public decide(i: number): void {
    const { scheduler, flights, facts, resolved } = this;
    const request = this.requests[i % PROMPTS]!;
    this.resolver.resolve(request, resolved);
    facts.take(request, resolved.model, resolved.targetModel, false);
    const { flight } = scheduler.schedule(facts);
    const place = i % UNDER_WAY;
    const ended = flights[place] as typeof flight | undefined;
    flights[place] = flight;
    if (ended === undefined) return;
    scheduler.answered(ended);
    scheduler.settle(ended, OUTCOME);
  }

  /** Every signal has something to say: caches, queues, the load of other replicas, failures, and one endpoint in ten that is slow. */
  private dirty(): void {
    const { table, ready } = this.store.snapshot;
    const random = new SeededRandom(2);
    for (const slot of ready) {
      table.kvBlocks[slot] = 4_000;
      table.blockSizeTokens[slot] = 16;
      table.queueSeen[slot] = Math.floor(random.next() * 3);
      table.peerInFlight[slot] = Math.floor(random.next() * 20);
      table.peerPrefillTokens[slot] = Math.floor(random.next() * 2_000);
      table.slownessRatio[slot] = slot % 10 === 9 ? 2.5 : 0.8 + 0.4 * random.next();
      table.measuredAtMs[slot] = monotonicClock.nowMs();
      table.failuresInRow[slot] = slot % 7 === 0 ? 3 : 0;
    }
  }
}

const OUTCOME = { status: 200, outputTokens: 120, firstByteMs: 40, cause: 'natural' } as const;

function requestFor(model: string, index: number, promptBytes: number): RequestFacts {
  const random = new SeededRandom(index);
  const content = Buffer.from(Array.from({ length: promptBytes }, () => 97 + Math.floor(random.next() * 26))).toString();
  const body = Buffer.from(JSON.stringify({ model, messages: promptBytes === 0 ? [] : [{ role: 'user', content }] }));
  const scanned = new BodyScan();
  scanBody('chat', body, scanned);
  return {
    ...{ id: index, method: 'POST', path: '/v1/chat/completions', body, scanned, subset: undefined },
    header: (name) => (name === 'x-session-id' ? `session-${index}` : undefined),
  };
}

/** µs a decision by endpoints and models; and what memory does while millions are made. */
export function pickCosts(poolOf: (endpoints: number) => EndpointStore): void {
  const rows: Record<string, string | number>[] = [];
  for (const endpoints of [8, 100, 1_000]) {
    for (const models of [1, 100, 1_000]) {
      const micros = (promptBytes: number): string => {
        const decisions = new Decisions(poolOf(endpoints), models, promptBytes);
        return callCost((i) => decisions.decide(i)).medianMicros.toFixed(2);
      };
      rows.push({ endpoints, models, 'µs without a prompt': micros(0), 'µs with 1 KB': micros(1_024) });
    }
  }
  console.table(rows);

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const decisions = new Decisions(poolOf(100), 1_000, 1_024);
  const megabytes: string[] = [];
  for (let i = 0; i <= MEMORY_PICKS; i++) {
    decisions.decide(i);
    if (i % (MEMORY_PICKS / 4) !== 0) continue;
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    megabytes.push(`${i / 1e6}M: ${((heapUsed + arrayBuffers) / 2 ** 20).toFixed(1)}`);
  }
  console.log(`MB in use behind so many picks, 100 endpoints and 1,000 models, 1 KB: ${megabytes.join(', ')}`);
}
