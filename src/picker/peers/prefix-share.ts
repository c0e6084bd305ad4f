import type { Clock } from '../../shared/clock';
import { hashText } from '../../shared/hash';
import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import type { ApproxPrefixCacheProducer } from '../scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { type EndpointKeys, keyNumber } from './endpoint-keys';
import { MAX_SHARED_BLOCKS, type PrefixFrame, prefixFrameBytes, writePrefix } from './wire-format';

/** Bytes that are told of prompts in one round; what is more is left out. */
const ROUND_BYTES = 1 << 16;
/** The same prompt at the same endpoint is told again after so long: replicas may have come, and it stays recent. */
const REPEAT_MS = 10_000;
/** Prompts that are remembered as told, a power of two; one that is forgotten is told again. */
const REMEMBERED = 4_096;

/** What replicas tell each other of prompts: hashes of their leading blocks, and the endpoint that has them now. */
export class PrefixShare {
  public sent = 0;
  public received = 0;
  /** Left out, because there were too many in one round. */
  public dropped = 0;
  private readonly buffer = Buffer.allocUnsafe(ROUND_BYTES);
  private used = 0;
  private producers = new Map<number, ApproxPrefixCacheProducer>();
  /** By the last block and the slot, where they fall: what was told, and when. */
  private readonly toldHash = new Int32Array(REMEMBERED);
  private readonly toldAtMs = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);

  public constructor(
    private readonly keys: EndpointKeys,
    private readonly clock: Clock,
  ) {}

  /** Follows these producers from here on. */
  public use(producers: ReadonlyMap<string, ApproxPrefixCacheProducer>): void {
    for (const producer of this.producers.values()) producer.onRecorded = undefined;
    this.producers = new Map();
    for (const [name, producer] of producers) {
      const hash = { low: 0, high: 0 };
      hashText(name, hash);
      this.producers.set(hash.low, producer);
      producer.onRecorded = (slot, hashes, blocks) => this.note(hash.low, slot, hashes, blocks);
    }
  }

  /** The frames of this round, valid until the next request. */
  public take(): Buffer {
    const frames = this.buffer.subarray(0, this.used);
    this.used = 0;
    return frames;
  }

  /** Takes over what a peer told. */
  public learn(snapshot: EndpointSnapshot, { producer, keyLow, keyHigh, hashes }: PrefixFrame): void {
    const slot = this.keys.slotOf(keyNumber(keyLow, keyHigh));
    if (slot === undefined) return;
    this.producers.get(producer)?.learn(snapshot, slot, hashes, hashes.length / 2);
    this.received++;
  }

  private note(producer: number, slot: number, hashes: Int32Array, total: number): void {
    const blocks = total < MAX_SHARED_BLOCKS ? total : MAX_SHARED_BLOCKS;
    const last = hashes[2 * blocks - 1]! ^ Math.imul(slot + 1, 0x9e3779b1);
    const place = hashes[2 * blocks - 2]! & (REMEMBERED - 1);
    const nowMs = this.clock.nowMs();
    if (this.toldHash[place] === last && nowMs - this.toldAtMs[place]! < REPEAT_MS) return;
    const bytes = prefixFrameBytes(blocks);
    if (this.used + bytes > ROUND_BYTES) {
      this.dropped++;
      return;
    }
    this.toldHash[place] = last;
    this.toldAtMs[place] = nowMs;
    const { words } = this.keys;
    writePrefix(this.buffer, this.used, producer, words[2 * slot]!, words[2 * slot + 1]!, hashes, blocks);
    this.used += bytes;
    this.sent++;
  }
}
