import {
  CLOSED_BY_END,
  CLOSED_BY_OWN_RESET,
  CLOSED_UNKNOWN,
  ClosedStreams,
  NEVER_OPENED,
} from '../../../../src/picker/http2/closed-streams';

describe('ClosedStreams', () => {
  it('knows how recent streams were closed, and which were skipped', () => {
    const closed = new ClosedStreams();
    closed.add(1, CLOSED_BY_END);
    closed.add(5, CLOSED_BY_OWN_RESET);
    expect([1, 3, 5].map((id) => closed.find(id))).toEqual([CLOSED_BY_END, NEVER_OPENED, CLOSED_BY_OWN_RESET]);
  });

  it('takes the last word on a stream', () => {
    const closed = new ClosedStreams();
    closed.add(1, CLOSED_BY_END);
    closed.add(1, CLOSED_BY_OWN_RESET);
    expect(closed.find(1)).toBe(CLOSED_BY_OWN_RESET);
  });

  it('forgets old streams without taking them for others', () => {
    const closed = new ClosedStreams();
    for (let id = 1; id <= 2 * 1024 + 1; id += 2) closed.add(id, CLOSED_BY_END);
    expect([closed.find(1), closed.find(3), closed.find(2049)]).toEqual([CLOSED_UNKNOWN, CLOSED_BY_END, CLOSED_BY_END]);
    // A stream that outlived its successor does not displace it.
    closed.add(1, CLOSED_BY_OWN_RESET);
    expect([closed.find(1), closed.find(2049)]).toEqual([CLOSED_UNKNOWN, CLOSED_BY_END]);
  });
});
