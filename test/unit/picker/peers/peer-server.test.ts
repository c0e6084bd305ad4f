import { connect, type Socket } from 'node:net';
import { EndpointKeys } from '../../../../src/picker/peers/endpoint-keys';
import { FrameBuffer } from '../../../../src/picker/peers/frame-buffer';
import { PeerCounts } from '../../../../src/picker/peers/peer-counts';
import { proofOf } from '../../../../src/picker/peers/peer-secret';
import { PeerServer } from '../../../../src/picker/peers/peer-server';
import { PeerTraffic } from '../../../../src/picker/peers/peer-traffic';
import { encodeCounts, encodeGreeting, encodeHello, type Greeting } from '../../../../src/picker/peers/wire-format';
import { ManualClock } from '../../../../src/shared/clock';
import { eventually } from '../../../components/process';
import { poolOf } from '../scheduling/support/pool';

const ID = Buffer.alloc(16, 1);
const OTHER = Buffer.alloc(16, 2);
const clock = new ManualClock(1_000);
const sockets: Socket[] = [];
const servers: PeerServer[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function started(secret?: Buffer) {
  const { snapshot } = poolOf({});
  const keys = new EndpointKeys();
  keys.follow(snapshot);
  const refused: string[] = [];
  const traffic = new PeerTraffic((reason) => refused.push(reason));
  const counts = new PeerCounts(keys);
  const server = new PeerServer({ id: ID, secret, counts, traffic, clock, table: () => snapshot.table, onPrefix: () => {} });
  servers.push(server);
  await server.listen(0, '127.0.0.1');
  return { port: server.port!, counts, traffic, refused };
}

/** A connection that has been greeted. */
async function greeted(
  port: number,
): Promise<{ readonly socket: Socket; readonly nonce: Buffer; readonly closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const buffer = new FrameBuffer();
  const nonce = await new Promise<Buffer>((resolve) =>
    socket.on('data', (chunk: Buffer) => {
      buffer.take(chunk, (frame) => {
        resolve((frame as Greeting).nonce);
        return true;
      });
    }),
  );
  return { socket, nonce, closed };
}

const hello = (nonce: Buffer, secret?: Buffer, id = OTHER): Buffer => encodeHello(id, proofOf(secret, nonce, ID, id));

test('a replica that introduces itself is heard; again, its new connection takes the place of the old one', async () => {
  const { port, counts, traffic } = await started();
  const first = await greeted(port);
  first.socket.write(hello(first.nonce));
  await eventually('it is heard', () => counts.peers.size === 1 && traffic.receiving === 1);
  const second = await greeted(port);
  second.socket.write(hello(second.nonce));
  await first.closed;
  expect([counts.peers.size, traffic.receiving]).toEqual([1, 1]);
});

const SECRET = Buffer.from('a secret that replicas share');

test.each<[string, string, (nonce: Buffer) => Buffer]>([
  ['no proof of the secret', 'secret', (nonce) => hello(nonce)],
  ['the proof of another connection', 'secret', () => hello(Buffer.alloc(16, 9), SECRET)],
  [
    'another version',
    'version',
    (nonce) => {
      const frame = hello(nonce, SECRET);
      frame.writeUInt16LE(2, 9);
      return frame;
    },
  ],
  ['counts before its name', 'garbage', () => encodeCounts([])],
  ['a greeting of its own', 'garbage', () => encodeGreeting(OTHER, Buffer.alloc(16))],
  ['its name twice', 'garbage', (nonce) => Buffer.concat([hello(nonce, SECRET), hello(nonce, SECRET)])],
  ['no frame', 'garbage', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
])('whoever sends %s is cut off', async (_, reason, frame) => {
  const { port, refused, traffic } = await started(SECRET);
  const { socket, nonce, closed } = await greeted(port);
  socket.write(frame(nonce));
  await closed;
  expect(refused).toEqual([reason]);
  expect(traffic.refusals.get(reason as 'garbage')).toBe(1);
});

test('a replica that is this very one is let go without a word', async () => {
  const { port, refused } = await started();
  const { socket, nonce, closed } = await greeted(port);
  socket.write(hello(nonce, undefined, ID));
  await closed;
  expect(refused).toEqual([]);
});

test('whoever sends more than any replica does is cut off', async () => {
  const { port, refused } = await started();
  const { socket, nonce, closed } = await greeted(port);
  socket.write(hello(nonce));
  // the clock stands still, so what may be sent at once is all there is
  const heartbeats = Buffer.concat(Array.from({ length: 100_000 }, () => encodeCounts([])));
  for (let count = 0; count < 10; count++) socket.write(heartbeats);
  await closed;
  expect(refused).toEqual(['flood']);
});

test('more connections than a picker has replicas are not taken', async () => {
  const { port, refused } = await started();
  await Promise.all(Array.from({ length: 64 }, () => greeted(port)));
  const further = connect(port, '127.0.0.1');
  sockets.push(further);
  await new Promise((resolve) =>
    further
      .on('close', resolve)
      .on('error', () => {})
      .resume(),
  );
  await eventually('it is counted', () => refused.length === 1);
  expect(refused).toEqual(['too-many']);
});
