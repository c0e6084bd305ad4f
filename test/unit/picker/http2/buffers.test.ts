import { BufferBudget } from '../../../../src/picker/http2/buffer-budget';
import { giveBuffer, takeBuffer } from '../../../../src/picker/http2/buffer-pool';
import { MessageParts } from '../../../../src/picker/http2/message-parts';
import { SendQueue } from '../../../../src/picker/http2/send-queue';

describe('BufferBudget', () => {
  it('takes from every budget of its chain, or from none', () => {
    const total = new BufferBudget(100);
    const connection = new BufferBudget(80, total);
    const [one, two] = [new BufferBudget(60, connection), new BufferBudget(60, connection)];
    expect([one.take(61), one.take(50), two.take(31), two.take(30)]).toEqual([false, true, false, true]);
    expect([one.heldBytes, two.heldBytes, connection.heldBytes, total.heldBytes]).toEqual([50, 30, 80, 80]);
    one.give(50);
    expect([connection.heldBytes, total.heldBytes, two.take(30)]).toEqual([30, 30, true]);
  });
});

describe('the buffer pool', () => {
  it.each([
    [1, 16_384],
    [16_384, 16_384],
    [16_385, 32_768],
    [1 << 20, 1 << 20],
    [(1 << 20) + 1, (1 << 20) + 1],
  ])('gives %d bytes as a buffer of %d', (asked, given) => {
    expect(takeBuffer(asked)).toHaveLength(given);
  });

  it('uses a buffer again, but none of another size or above 1 MiB', () => {
    const buffer = takeBuffer(40_000);
    giveBuffer(buffer);
    expect(takeBuffer(65_536)).toBe(buffer);
    const large = takeBuffer(2 << 20);
    giveBuffer(large);
    expect(takeBuffer(2 << 20)).not.toBe(large);
    const odd = Buffer.alloc(20_000);
    giveBuffer(odd);
    expect(takeBuffer(20_000)).not.toBe(odd);
  });
});

describe('SendQueue', () => {
  const bytes = (text: string) => {
    const message = new MessageParts().set(Buffer.from(''), 0, Buffer.from(text), 0, text.length, Buffer.from(''), 0);
    message.take(Buffer.alloc(5), 0, 5);
    return message;
  };

  it('gives back what it took, in order, whatever the pieces', () => {
    const budget = new BufferBudget(1 << 20);
    const queue = new SendQueue(budget);
    let added = '';
    for (let i = 0; i < 40; i++) {
      const text = String.fromCharCode(97 + (i % 26)).repeat(1 + i * 61);
      expect(queue.add(bytes(text), text.length)).toBe(true);
      added += text;
    }
    expect(queue.bytes).toBe(added.length);
    const target = Buffer.alloc(added.length);
    for (let at = 0, step = 1; at < added.length; at += step, step = Math.min(step * 3, added.length - at))
      queue.take(target, at, step);
    expect([target.toString() === added, queue.bytes, budget.heldBytes]).toEqual([true, 0, 0]);
  });

  it('puts small messages together, so that it holds little more than their bytes', () => {
    const budget = new BufferBudget(8192);
    const queue = new SendQueue(budget);
    for (let i = 0; i < 800; i++) expect(queue.add(bytes('0123456789'), 10)).toBe(true);
    expect(budget.heldBytes).toBe(8192);
    expect([queue.add(bytes('x'.repeat(4097)), 4097), queue.bytes]).toEqual([false, 8000]);
    queue.clear();
    expect([queue.bytes, budget.heldBytes]).toEqual([0, 0]);
  });
});
