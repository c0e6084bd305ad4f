import { ClusterError, type KubeObject, type WatchListener } from '../../../../src/picker/kube/cluster-watch';
import { WatchLines } from '../../../../src/picker/kube/watch-lines';

const event = (type: string, name: string) =>
  `${JSON.stringify({ type, object: { metadata: { name, uid: name, resourceVersion: '1' } } })}\n`;

function collect(): { lines: WatchLines; seen: string[] } {
  const seen: string[] = [];
  const listener: WatchListener = {
    onOpen: () => {},
    onEvent: (type: string, { metadata }: KubeObject) => seen.push(`${type} ${metadata.name}`),
  };
  return { lines: new WatchLines(listener), seen };
}

test('events are put together wherever the chunks are cut, also inside a character', () => {
  const bytes = Buffer.from(event('ADDED', 'zürich-1') + event('MODIFIED', 'b') + event('DELETED', 'c') + event('BOOKMARK', ''));
  for (let size = 1; size <= bytes.length; size++) {
    const { lines, seen } = collect();
    for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
    expect(seen).toEqual(['ADDED zürich-1', 'MODIFIED b', 'DELETED c', 'BOOKMARK ']);
  }
});

test('an error of the server has its code, its words and its patience', () => {
  const { lines } = collect();
  const status = {
    kind: 'Status',
    code: 410,
    message: 'too old resource version',
    reason: 'Expired',
    details: { retryAfterSeconds: 3 },
  };
  let caught: ClusterError | undefined;
  try {
    lines.push(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`));
  } catch (error) {
    caught = error as ClusterError;
  }
  expect(caught).toBeInstanceOf(ClusterError);
  expect(caught).toMatchObject({ status: 410, isGone: true, message: 'too old resource version', retryAfterMs: 3_000 });
});

test.each([
  ['no JSON', 'hello\n'],
  ['half an event', '{"type":"ADDED"\n'],
  ['an unknown type', '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"1"}}}\n'],
  ['no object', '{"type":"ADDED"}\n'],
  ['an object without metadata', '{"type":"ADDED","object":{}}\n'],
  ['null', 'null\n'],
  ['a line without end', Buffer.alloc(17 * 2 ** 20, 0x20)],
])('%s is an error, which lists anew', (_, text) => {
  const { lines } = collect();
  expect(() => lines.push(Buffer.from(text))).toThrow(ClusterError);
});
