import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { ApproxPrefixCacheProducer } from '../../producer/approx-prefix-cache-producer/approx-prefix-cache-producer';

/** Which endpoints got requests lately that nobody had cached, in the order of the last one. */
export class ColdRequests implements Producer {
  /** No candidate has any of the prepared request. */
  public isCold = false;
  /** By slot: number of the last cold request; 0 for none that counts. */
  private last = new Float64Array(0);
  private generations = new Int32Array(0);
  private requests = 0;
  private ranks = new Int32Array(0);
  private order: number[] = [];

  public constructor(
    private readonly matches: ApproxPrefixCacheProducer,
    private readonly lruSize: number,
  ) {}

  public get requires(): Producer {
    return this.matches;
  }

  public prepare(_request: SchedulingRequest, { table }: EndpointSnapshot, candidates: Int32Array, count: number): void {
    if (this.last.length < table.capacity) this.grow(table.capacity);
    this.isCold = true;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (this.matches.cachedTokens(slot) > 0) this.isCold = false;
      if (this.generations[slot] === table.generation[slot]) continue;
      this.generations[slot] = table.generation[slot]!;
      this.last[slot] = 0;
    }
    this.ranks[0] = -1;
  }

  public picked(_snapshot: EndpointSnapshot, slot: number): void {
    if (this.isCold) this.last[slot] = ++this.requests;
  }

  /** How many candidates had their last cold request before that of the k-th; of those without any, the earlier ones in the list. */
  public rankOf(candidates: Int32Array, count: number, k: number): number {
    if (this.ranks[0] === -1) this.rank(candidates, count);
    return this.ranks[k]!;
  }

  private rank(candidates: Int32Array, count: number): void {
    const { order, last } = this;
    const oldest = this.requests - this.lruSize;
    const at = (k: number): number => (last[candidates[k]!]! > oldest ? last[candidates[k]!]! : 0);
    order.length = 0;
    for (let k = 0; k < count; k++) order.push(k);
    order.sort((a, b) => at(a) - at(b));
    for (let rank = 0; rank < count; rank++) this.ranks[order[rank]!] = rank;
  }

  private grow(capacity: number): void {
    const last = new Float64Array(capacity);
    last.set(this.last);
    this.last = last;
    const generations = new Int32Array(capacity);
    generations.set(this.generations);
    this.generations = generations;
    this.ranks = new Int32Array(capacity);
  }
}
