import { BodyBuffer, BodyPool } from '../../../../src/picker/ext-proc/body-pool';

describe('the body pool', () => {
  test('gives the same buffer again, and counts what is out', () => {
    const pool = new BodyPool(1 << 20);
    const first = pool.take(5000);
    expect(first.length).toBe(8192);
    expect(pool.liveBytes).toBe(8192);
    pool.give(first);
    expect(pool.liveBytes).toBe(0);
    expect(pool.take(8192)).toBe(first);
  });

  test('keeps no more than it may', () => {
    const pool = new BodyPool(8192);
    const [first, second] = [pool.take(8192), pool.take(8192)];
    pool.give(first);
    pool.give(second);
    expect(pool.take(8192)).toBe(first);
    expect(pool.take(8192)).not.toBe(second);
  });

  test.each([
    [0, 4096],
    [4096, 4096],
    [4097, 8192],
    [17 << 20, 32 << 20],
  ])('rounds %d bytes up to %d', (size, length) => {
    expect(new BodyPool(0).take(size).length).toBe(length);
  });
});

test('a body grows as it comes, whatever was expected, and returns its buffers', () => {
  const pool = new BodyPool(0);
  const body = new BodyBuffer(pool);
  body.expect(10);
  const bytes = Buffer.from('0123456789'.repeat(2000));
  for (let at = 0; at < bytes.length; at += 777) body.append(bytes, at, Math.min(bytes.length, at + 777));
  expect(body.view().equals(bytes)).toBe(true);
  body.release();
  expect(pool.liveBytes).toBe(0);
  expect(body.view()).toHaveLength(0);
});
