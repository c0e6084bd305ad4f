import fc from 'fast-check';
import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { EndpointKeys } from '../../../../src/picker/peers/endpoint-keys';
import { OwnCounts } from '../../../../src/picker/peers/own-counts';
import { PeerCounts, STALE_MS } from '../../../../src/picker/peers/peer-counts';
import { endpoint } from '../scheduling/support/pool';

const COLUMNS = ['inFlight', 'prefillTokens', 'promptTokensInFlight', 'outputTokensInFlight'] as const;
const PEER_COLUMNS = ['peerInFlight', 'peerPrefillTokens', 'peerPromptTokens', 'peerOutputTokens'] as const;

/** A replica as far as counts go: its endpoints, what it tells, what it hears. */
class Replica {
  public readonly store = new EndpointStore();
  public readonly keys = new EndpointKeys();
  public readonly own = new OwnCounts(this.keys);
  public readonly peers = new PeerCounts(this.keys);
  public round = 0;

  public constructor() {
    this.store.onChange((snapshot) => {
      this.keys.follow(snapshot);
      this.own.forgetLeft();
      this.peers.refresh(snapshot, 0, true);
    });
  }

  /** Has these endpoints, by their numbers. */
  public have(numbers: readonly number[]): void {
    this.store.replaceAll(numbers.map((number) => endpoint(number)));
  }

  public slotOf(number: number): number | undefined {
    return this.store.snapshot.byHostPort.get(endpoint(number).hostPort);
  }

  public set(number: number, inFlight: number): void {
    const slot = this.slotOf(number);
    if (slot === undefined) return;
    const { table } = this.store.snapshot;
    COLUMNS.forEach((column, index) => {
      table[column][slot] = inFlight * (index + 1);
    });
  }

  public look(): void {
    this.round = this.own.look(this.store.snapshot);
  }

  /** What it believes others to have at an endpoint. */
  public heardAt(number: number): number[] {
    const slot = this.slotOf(number);
    return slot === undefined ? [] : PEER_COLUMNS.map((column) => this.store.snapshot.table[column][slot]!);
  }
}

test('a replica hears what another has under way, at the endpoints that both know', () => {
  const [near, far] = [new Replica(), new Replica()];
  near.have([1, 2, 3]);
  far.have([3, 1, 9]);
  far.set(1, 2);
  far.set(9, 5);
  far.look();
  const state = near.peers.joined('far', 0);
  near.peers.take(state, far.own.since(0), near.store.snapshot.table);
  near.peers.refresh(near.store.snapshot, 0, false);
  expect([1, 2, 3].map((number) => near.heardAt(number))).toEqual([
    [2, 4, 6, 8],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  // what it did not know comes later, and what it was told of it holds
  near.have([1, 2, 3, 9]);
  expect(near.heardAt(9)).toEqual([5, 10, 15, 20]);
});

test('several replicas add up, and one that is silent for two seconds no longer counts until it speaks', () => {
  const near = new Replica();
  near.have([1]);
  const { table } = near.store.snapshot;
  const far = ['a', 'b'].map((id) => {
    const replica = new Replica();
    replica.have([1]);
    replica.set(1, id === 'a' ? 3 : 4);
    replica.look();
    const state = near.peers.joined(id, 0);
    near.peers.take(state, replica.own.since(0), table);
    return state;
  });
  near.peers.refresh(near.store.snapshot, STALE_MS, false);
  expect(near.heardAt(1)[0]).toBe(7);
  near.peers.heard('b', far[1]!, STALE_MS);
  near.peers.refresh(near.store.snapshot, STALE_MS + 1, false);
  expect(near.heardAt(1)[0]).toBe(4);
  near.peers.heard('a', far[0]!, STALE_MS + 2);
  near.peers.refresh(near.store.snapshot, STALE_MS + 2, false);
  expect(near.heardAt(1)[0]).toBe(7);
});

test('nothing that a peer claims takes more than a bounded memory', () => {
  const near = new Replica();
  near.have([1]);
  const state = near.peers.joined('far', 0);
  const entry = { inFlight: 1, prefillTokens: 0, promptTokens: 0, outputTokens: 0 };
  for (let keyLow = 0; keyLow < 20_000; keyLow++)
    near.peers.take(state, [{ ...entry, keyLow, keyHigh: 1 }], near.store.snapshot.table);
  expect(state.counts.size).toBe(16_384);
});

const NUMBERS = [1, 2, 3, 4, 5];
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), who: fc.nat(1), number: fc.constantFrom(...NUMBERS), count: fc.nat(4) }),
  fc.record({ kind: fc.constant('have' as const), who: fc.nat(2), numbers: fc.uniqueArray(fc.constantFrom(...NUMBERS)) }),
  fc.record({ kind: fc.constant('tell' as const), who: fc.nat(1) }),
  fc.record({ kind: fc.constant('reconnect' as const), who: fc.nat(1) }),
);

test('after any changes of counts, endpoints and connections, what is heard is what is told', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const near = new Replica();
      const far = [new Replica(), new Replica()];
      for (const each of [near, ...far]) each.have(NUMBERS);
      const states = far.map((_, who) => near.peers.joined(String(who), 0));
      const told = [0, 0];
      const tell = (who: number): void => {
        const sender = far[who]!;
        sender.look();
        near.peers.take(states[who]!, sender.own.since(told[who]!), near.store.snapshot.table);
        told[who] = sender.round;
      };
      for (const each of steps) {
        if (each.kind === 'set') far[each.who]!.set(each.number, each.count);
        else if (each.kind === 'have') (far[each.who] ?? near).have(each.numbers);
        else if (each.kind === 'tell') tell(each.who);
        else {
          states[each.who] = near.peers.joined(String(each.who), 0);
          told[each.who] = 0;
        }
      }
      for (const who of [0, 1]) tell(who);
      near.peers.refresh(near.store.snapshot, 0, false);
      for (const number of NUMBERS) {
        if (near.slotOf(number) === undefined) continue;
        const expected = far.reduce((sum, replica) => {
          const slot = replica.slotOf(number);
          return sum + (slot === undefined ? 0 : replica.store.snapshot.table.inFlight[slot]!);
        }, 0);
        expect(near.heardAt(number)).toEqual([expected, 2 * expected, 3 * expected, 4 * expected]);
      }
    }),
    { numRuns: 500 },
  );
});
