import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import { type EndpointKeys, keyNumber } from './endpoint-keys';
import type { EndpointCounts } from './wire-format';

/** What a peer said this long ago counts no longer: it is gone, or cut off, and requests end. */
export const STALE_MS = 2_000;
/** Endpoints of one peer that are remembered; more than any picker serves. */
const MAX_ENDPOINTS = 16_384;

/** What one peer has under way. */
export class PeerState {
  public readonly counts = new Map<number, EndpointCounts>();

  public constructor(
    /** Any frame is a sign of life. */
    public heardAtMs: number,
  ) {}

  public isStale(nowMs: number): boolean {
    return nowMs - this.heardAtMs > STALE_MS;
  }
}

/** Keeps the columns of the table that say what other replicas have under way: sums over those that were heard lately. */
export class PeerCounts {
  /** By the peer's id. */
  public readonly peers = new Map<string, PeerState>();
  private isDirty = false;

  public constructor(private readonly keys: EndpointKeys) {}

  public joined(id: string, nowMs: number): PeerState {
    const state = new PeerState(nowMs);
    this.peers.set(id, state);
    this.isDirty = true;
    return state;
  }

  /** Any frame of a peer is a sign of life, and one that was taken for dead may speak again. */
  public heard(id: string, state: PeerState, nowMs: number): void {
    state.heardAtMs = nowMs;
    if (this.peers.get(id) === state) return;
    this.peers.set(id, state);
    this.isDirty = true;
  }

  /** What a peer had under way is forgotten when it becomes stale, not when its connection ends: its requests may run on. */
  public take(state: PeerState, entries: readonly EndpointCounts[], table: EndpointTable): void {
    for (const entry of entries) {
      const key = keyNumber(entry.keyLow, entry.keyHigh);
      const before = state.counts.get(key);
      if (entry.inFlight === 0) state.counts.delete(key);
      else if (before !== undefined || state.counts.size < MAX_ENDPOINTS) state.counts.set(key, entry);
      else continue;
      const slot = this.keys.slotOf(key);
      // what is worked out anew in the next round needs no correction
      if (slot === undefined || this.isDirty) continue;
      if (before !== undefined) add(table, slot, before, -1);
      if (entry.inFlight > 0) add(table, slot, entry, 1);
    }
  }

  /** Drops what is stale, and brings the columns up to date. @param haveMoved the endpoints are others than before */
  public refresh({ table }: EndpointSnapshot, nowMs: number, haveMoved: boolean): void {
    for (const [id, state] of this.peers) {
      if (!state.isStale(nowMs)) continue;
      this.peers.delete(id);
      this.isDirty = true;
    }
    if (!this.isDirty && !haveMoved) return;
    this.isDirty = false;
    for (const column of [table.peerInFlight, table.peerPrefillTokens, table.peerPromptTokens, table.peerOutputTokens])
      column.fill(0);
    for (const { counts } of this.peers.values()) {
      for (const [key, entry] of counts) {
        const slot = this.keys.slotOf(key);
        if (slot !== undefined) add(table, slot, entry, 1);
      }
    }
  }
}

/** Sums of whole numbers, so that what is taken away again leaves nothing. */
function add(table: EndpointTable, slot: number, counts: EndpointCounts, sign: 1 | -1): void {
  table.peerInFlight[slot] = table.peerInFlight[slot]! + sign * counts.inFlight;
  table.peerPrefillTokens[slot] = table.peerPrefillTokens[slot]! + sign * counts.prefillTokens;
  table.peerPromptTokens[slot] = table.peerPromptTokens[slot]! + sign * counts.promptTokens;
  table.peerOutputTokens[slot] = table.peerOutputTokens[slot]! + sign * counts.outputTokens;
}
