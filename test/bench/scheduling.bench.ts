/**
 * What a decision costs: `npm run bench -- --scheduling`. Numbers of one machine: read the ratios.
 */
import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import { ENGINE_METRICS } from '../../src/picker/metrics-scraper/engine-metrics';
import { EnginePageReader } from '../../src/picker/metrics-scraper/engine-page-reader';
import { formatHostPort } from '../../src/picker/scheduling/interface/endpoint-snapshot';
import type { SchedulingRequest } from '../../src/picker/scheduling/interface/scheduling-request';
import {
  buildScheduler,
  DEFAULT_SCHEDULING,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../src/picker/scheduling/scheduler-builder';
import { monotonicClock } from '../../src/shared/clock';
import { hashBlocks } from '../../src/shared/hash';
import { SeededRandom } from '../../src/shared/random';
import { vllmPage } from '../unit/picker/metrics-scraper/support/pages';
import { pickCosts } from './pick-cost';
import { callCost } from './support/call-cost';

const BLOCK_WORDS = 64;

interface Row {
  readonly case: string;
  readonly 'median µs': string;
  readonly 'best µs': string;
  readonly 'µs/KB': string;
}

const rows: Row[] = [];

function measure(name: string, call: (i: number) => void, kilobytes = 0): void {
  const { medianMicros, bestMicros } = callCost(call);
  rows.push({
    case: name,
    'median µs': medianMicros.toFixed(2),
    'best µs': bestMicros.toFixed(2),
    'µs/KB': kilobytes === 0 ? '' : (medianMicros / kilobytes).toFixed(3),
  });
}

function poolOf(count: number): EndpointStore {
  const store = new EndpointStore();
  const random = new SeededRandom(1);
  store.replaceAll(
    Array.from({ length: count }, (_, i) => {
      const address = `10.0.${i >> 8}.${i & 255}`;
      return { name: `e${i}`, address, port: 8000, labels: {}, ready: true, hostPort: formatHostPort(address, 8000) };
    }),
  );
  const { table } = store.snapshot;
  for (let slot = 0; slot < count; slot++) {
    table.waiting[slot] = Math.floor(random.next() * 20);
    table.running[slot] = Math.floor(random.next() * 100);
    table.kvUsageRatio[slot] = random.next();
    table.updatedAtMs[slot] = monotonicClock.nowMs();
    // far beyond the length of the run, so that trust stays 1
    table.scrapeIntervalMs[slot] = 1e9;
  }
  return store;
}

function requestOf(body: Buffer): SchedulingRequest {
  const named = { model: 'meta-llama/Llama-3.3-70B-Instruct', targetModel: 'meta-llama/Llama-3.3-70B-Instruct' };
  return {
    ...named,
    body,
    promptStart: 3,
    promptEnd: body.length,
    cacheSalt: undefined,
    subset: undefined,
    maxTokens: -1,
    header: () => undefined,
  };
}

function textOf(bytes: number, seed: number): Buffer {
  const random = new SeededRandom(seed);
  return Buffer.from(Array.from({ length: bytes }, () => 97 + Math.floor(random.next() * 26)));
}

const withoutPrefix: SchedulingConfig = {
  plugins: LLMD_DEFAULT_SCHEDULING.plugins.slice(0, 2),
  schedulingProfiles: [{ name: 'p', plugins: LLMD_DEFAULT_SCHEDULING.schedulingProfiles[0]!.plugins.slice(0, 2) }],
};

function schedulerOf(config: SchedulingConfig, count: number): { pick: (request: SchedulingRequest) => void } {
  const source = poolOf(count);
  const scheduler = buildScheduler(config, { source, clock: monotonicClock, random: new SeededRandom(1) }).scheduler!;
  return {
    pick: (request) => {
      scheduler.settle(scheduler.schedule(request).flight);
    },
  };
}

for (const kilobytes of [1, 16, 256]) {
  const words = new Int32Array(textOf(kilobytes * 1024, 1).buffer.slice(0, kilobytes * 1024));
  const hashes = new Int32Array((2 * words.length) / BLOCK_WORDS);
  measure(
    `hash ${kilobytes} KB in blocks of 256 B`,
    () => hashBlocks(words, words.length / BLOCK_WORDS, BLOCK_WORDS, { low: 1, high: 2 }, hashes),
    kilobytes,
  );
}
for (const count of [8, 100, 1000]) {
  const { pick } = schedulerOf(withoutPrefix, count);
  const request = requestOf(textOf(1024, 1));
  measure(`pick of ${count}: queue + KV`, () => pick(request));
}
for (const count of [8, 100, 1000]) {
  for (const kilobytes of [1, 16, 256]) {
    const { pick } = schedulerOf(LLMD_DEFAULT_SCHEDULING, count);
    const request = requestOf(textOf(kilobytes * 1024, 1));
    measure(`pick of ${count}, ${kilobytes} KB, default, the same prompt again`, () => pick(request), kilobytes);
  }
}
for (const count of [8, 100, 1000]) {
  const { pick } = schedulerOf(LLMD_DEFAULT_SCHEDULING, count);
  const requests = Array.from({ length: 4000 }, (_, i) => requestOf(textOf(4096, i)));
  measure(`pick of ${count}, 4 KB, default, prompts that share nothing`, (i) => pick(requests[i % requests.length]!), 4);
}
for (const count of [8, 100, 1000]) {
  const { pick } = schedulerOf(DEFAULT_SCHEDULING, count);
  const none = requestOf(Buffer.alloc(3));
  measure(`pick of ${count}: own default with all signals, no prompt`, () => pick(none));
  const requests = Array.from({ length: 4000 }, (_, i) => requestOf(textOf(1024, i)));
  measure(`pick of ${count}, 1 KB, own default, prompts that share nothing`, (i) => pick(requests[i % requests.length]!), 1);
}
for (const count of [8, 100, 1000]) {
  const source = poolOf(count);
  source.snapshot.table.waiting.fill(0);
  source.snapshot.table.kvUsageRatio.fill(0);
  const plugins = [...LLMD_DEFAULT_SCHEDULING.plugins, { name: 'random-picker', type: 'random-picker' }];
  const profile = [...LLMD_DEFAULT_SCHEDULING.schedulingProfiles[0]!.plugins, { pluginRef: 'random-picker' }];
  const config = { plugins, schedulingProfiles: [{ name: 'p', plugins: profile }] };
  const scheduler = buildScheduler(config, { source, clock: monotonicClock, random: new SeededRandom(1) }).scheduler!;
  const system = textOf(12 * 1024, 1);
  const requests = Array.from({ length: 2000 }, (_, i) => requestOf(Buffer.concat([system, textOf(4096, i)])));
  for (let i = 0; i < count * 8; i++) scheduler.schedule(requests[i % requests.length]!);
  measure(
    `pick of ${count}, 16 KB, a system prompt that all endpoints have`,
    (i) => scheduler.schedule(requests[i % requests.length]!),
    16,
  );
}
{
  const page = Buffer.from(vllmPage({ waiting: 3, running: 20, kv: 0.4, fillerLines: 250 }));
  const reader = new EnginePageReader(ENGINE_METRICS.get('vllm')!);
  measure(
    `read a page of ${Math.round(page.length / 1024)} KB at remembered places`,
    () => reader.read(page, false),
    page.length / 1024,
  );
  measure(
    'read it for the first time',
    () => new EnginePageReader(ENGINE_METRICS.get('vllm')!).read(page, true),
    page.length / 1024,
  );
}
console.table(rows);
pickCosts(poolOf);
