import { type EngineProfile, engineProfile } from '../engine/core/profile';
import { acceleratorProfile, type ModelShape } from '../engine/presets';
import type { Scenario } from './scenarios';
import { joined, poisson, Texts, type Traffic, type TrafficRequest } from './traffic';

/** A scenario after a measurement that somebody published. */
export interface PublishedScenario extends Scenario {
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** Qwen3 32B: 64 layers, 8 KV heads of 128 elements, 16 bit (`config.json`). */
const QWEN3_32B: ModelShape = { parameters: 32.8e9, layers: 64, kvBytesPerToken: 262_144 };
/** DeepSeek-R1-Distill-Qwen-7B: 28 layers, 4 KV heads of 128 elements, 16 bit. */
const QWEN_7B: ModelShape = { parameters: 7.62e9, layers: 28, kvBytesPerToken: 57_344 };
/** Llama 3.1 8B with weights and KV cache of 8 bit. */
const LLAMA_8B_FP8: ModelShape = { parameters: 8.03e9, layers: 32, weightBits: 8, kvBytesPerToken: 65_536 };

function engines(
  count: number,
  accelerator: string,
  model: ModelShape,
  cards: number,
  changes: Partial<EngineProfile>,
): EngineProfile[] {
  const profile = engineProfile({ ...acceleratorProfile(accelerator, model, cards), ...changes });
  return Array.from({ length: count }, () => profile);
}

/** Groups of prompts that share a beginning, asked for at random. */
interface Groups {
  readonly groups: number;
  readonly promptsPerGroup: number;
  readonly systemTokens: number;
  readonly questionTokens: number;
  readonly outputTokens: number;
}

/** Draws one of the prompts, each time from the same ones. */
function groupedPrompts(
  texts: Texts,
  { groups, promptsPerGroup, systemTokens, questionTokens, outputTokens }: Groups,
): () => TrafficRequest {
  const prompts = Array.from({ length: groups }, () => {
    const system = texts.text(systemTokens);
    return Array.from({ length: promptsPerGroup }, () => joined(system, texts.text(questionTokens)));
  }).flat();
  return () => ({ promptTokens: prompts[texts.between(0, prompts.length - 1)]!, outputTokens });
}

/** So many clients, each of which asks again as soon as it has its answer. */
function closedLoop(name: string, clients: number, prepare: (texts: Texts) => () => TrafficRequest): Traffic {
  return {
    name,
    arrivals: (seed) => {
      const texts = new Texts(seed);
      const start = prepare(texts);
      const again = (): TrafficRequest => {
        const request = start();
        return request.next === undefined ? { ...request, next: { afterMs: 0, request: again } } : request;
      };
      // over the first ten seconds: all at once would keep them in step
      return Array.from({ length: clients }, () => ({ atMs: 10_000 * texts.chance(), request: again() })).sort(
        (a, b) => a.atMs - b.atMs,
      );
    },
  };
}

/** Chats of 8 to 16 questions, each with all that was said before; then the client begins another one. */
function chats(texts: Texts): () => TrafficRequest {
  const exponential = (mean: number, least: number, most: number): number =>
    Math.round(Math.min(most, Math.max(least, texts.gapMs(mean))));
  const turn = (history: Int32Array, left: number): TrafficRequest => ({
    promptTokens: joined(history, texts.text(exponential(70, 5, 400))),
    outputTokens: 40,
    next: {
      afterMs: 0,
      request(answer: Int32Array): TrafficRequest {
        return left > 1 ? turn(answer, left - 1) : chat();
      },
    },
  });
  const chat = (): TrafficRequest => turn(texts.text(exponential(70, 5, 400)), texts.between(8, 16));
  return chat;
}

/**
 * llm-d-benchmark, `guide_optimized-baseline_1`: 150 customers with a system prompt each and 5 questions of each, 8 pods of two H100 with
 * 307,328 tokens of KV cache. llm-d's blog of 2025-09-24 gives a mean time to the first token of 0.30 s with exact knowledge of caches, 13.3 s
 * with approximate knowledge, 47 s by load alone and 45 s at random.
 */
function customers(perSecond: number): PublishedScenario {
  const groups = { groups: 150, promptsPerGroup: 5, systemTokens: 6_000, questionTokens: 1_200, outputTokens: 1_000 };
  return {
    name: `150 customers, ${perSecond}/s`,
    traffic: poisson('customers', perSecond, (texts) => groupedPrompts(texts, groups)),
    engines: engines(8, 'H100', QWEN3_32B, 2, { kvBlocks: 19_208, maxRunningSequences: 1_024, maxBatchedTokens: 8_192 }),
    restarts: false,
    seconds: 90,
    warmUpSeconds: 45,
  };
}

/**
 * Kthena's benchmark: 256 groups of 32 prompts, 300 clients, 3 replicas of a 7 B model. It gives 32.2 answers/s and 0.57 s to the first token for
 * load and KV knowledge, 23.9 and 0.83 s for load and prefixes, 11.8 and 2.15 s at random, 9.9 and 12.5 s for the fewest requests; no gain
 * with prefixes of 256 tokens. The accelerator and the lengths of questions and answers are not given, and guessed here.
 */
function groups(systemTokens: number): PublishedScenario {
  const shape = { groups: 256, promptsPerGroup: 32, systemTokens, questionTokens: 128, outputTokens: 200 };
  const name = `256 groups, prefix ${systemTokens.toLocaleString('en')}`;
  return {
    name,
    traffic: closedLoop(name, 300, (texts) => groupedPrompts(texts, shape)),
    engines: engines(3, 'A100-40GB', QWEN_7B, 1, { maxBatchedTokens: 8_192 }),
    restarts: false,
    seconds: 120,
    warmUpSeconds: 60,
  };
}

/**
 * KubeAI's benchmark: ShareGPT's chats of 16 messages or more, 8 L4. It gives a mean time to the first token of 1.32 s (round robin) and 0.28 s
 * (by prefix) at 800 chats at once, 10.4 and 0.20 s at 1,600. The lengths here are drawn with ShareGPT's means.
 */
function longChats(clients: number): PublishedScenario {
  const name = `${clients.toLocaleString('en')} chats at once`;
  return {
    name,
    traffic: closedLoop(name, clients, chats),
    engines: engines(8, 'L4', LLAMA_8B_FP8, 1, { maxBatchedTokens: 16_384 }),
    restarts: false,
    seconds: 300,
    warmUpSeconds: 100,
  };
}

/** What others measured on accelerators, again in virtual time: what is compared is the order and the size of the gains, not a number. */
export const PUBLISHED_SCENARIOS: readonly PublishedScenario[] = [
  customers(20),
  customers(40),
  customers(60),
  groups(4_096),
  groups(256),
  longChats(800),
  longChats(1_600),
];
