import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../shared/clock';
import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import { FrameBuffer } from './frame-buffer';
import type { PeerCounts, PeerState } from './peer-counts';
import { isSameProof, proofOf } from './peer-secret';
import type { PeerTraffic, RefusalReason } from './peer-traffic';
import { encodeGreeting, type Hello, NONCE_BYTES, PEER_VERSION, type PeerFrame, type PrefixFrame } from './wire-format';

/** Connections at once; a picker has few replicas. */
const MAX_CONNECTIONS = 64;
/** Whoever has not introduced itself by then is no replica. */
const HELLO_MS = 5_000;
/** Whoever has said nothing for so long is gone; a replica speaks twice a second. */
const SILENCE_MS = 30_000;
/** Bytes a second that a connection may bring, and how many at once. A replica sends at most a third of that. */
const BYTES_PER_MS = 4_096;
const BURST_BYTES = 4 << 20;

export interface PeerServerParts {
  readonly id: Buffer;
  readonly secret: Buffer | undefined;
  readonly counts: PeerCounts;
  readonly traffic: PeerTraffic;
  readonly clock: Clock;
  /** The table in force. */
  table(): EndpointTable;
  onPrefix(frame: PrefixFrame): void;
}

/** Takes what other replicas tell. Whoever sends anything else is cut off. */
export class PeerServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** By the peer's id: its latest connection. */
  private readonly byId = new Map<string, Socket>();

  public constructor(private readonly parts: PeerServerParts) {
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.on('drop', () => this.parts.traffic.refuse('too-many', undefined));
  }

  /** @throws the error of the socket, for example EADDRINUSE */
  public async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.parts.traffic.refuse('connection', error.message));
        resolve();
      });
    });
  }

  /** Undefined while it does not listen. */
  public get port(): number | undefined {
    return (this.server.address() as AddressInfo | null)?.port;
  }

  public close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    const { id, clock, traffic } = this.parts;
    const nonce = randomBytes(NONCE_BYTES);
    const buffer = new FrameBuffer();
    let state: PeerState | undefined;
    let peerId = '';
    let allowance = BURST_BYTES;
    let countedAtMs = clock.nowMs();
    this.sockets.add(socket);
    socket.setTimeout(HELLO_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (this.byId.get(peerId) === socket) this.byId.delete(peerId);
      traffic.receiving = this.byId.size;
    });
    const refuse = (reason: RefusalReason, detail: string): false => {
      traffic.refuse(reason, `${socket.remoteAddress}: ${detail}`);
      socket.destroy();
      return false;
    };
    const take = (frame: PeerFrame, nowMs: number): boolean => {
      if (frame.kind === 'hello' && state === undefined) {
        const refusal = this.refusalOf(frame, nonce);
        if (refusal !== undefined) return refuse(refusal, `version ${frame.version}`);
        peerId = frame.id.toString('hex');
        state = this.join(peerId, socket, nowMs);
        return true;
      }
      if (state === undefined || (frame.kind !== 'counts' && frame.kind !== 'prefix'))
        return refuse('garbage', `a ${frame.kind} out of turn`);
      this.parts.counts.heard(peerId, state, nowMs);
      if (frame.kind === 'counts') this.parts.counts.take(state, frame.entries, this.parts.table());
      else this.parts.onPrefix(frame);
      return true;
    };
    socket.on('data', (chunk: Buffer) => {
      const nowMs = clock.nowMs();
      traffic.receivedBytes += chunk.length;
      allowance = Math.min(BURST_BYTES, allowance + (nowMs - countedAtMs) * BYTES_PER_MS) - chunk.length;
      countedAtMs = nowMs;
      if (allowance < 0) return void refuse('flood', 'more than a replica sends');
      const fault = buffer.take(chunk, (frame) => take(frame, nowMs));
      if (fault !== undefined) refuse('garbage', fault);
    });
    socket.write(encodeGreeting(id, nonce));
  }

  private refusalOf({ version, id, mac }: Hello, nonce: Buffer): RefusalReason | undefined {
    if (version !== PEER_VERSION) return 'version';
    const { secret, id: ownId } = this.parts;
    if (!isSameProof(mac, proofOf(secret, nonce, ownId, id))) return 'secret';
    return id.equals(ownId) ? 'self' : undefined;
  }

  private join(id: string, socket: Socket, nowMs: number): PeerState {
    // the same replica again: its old connection is dead, and only we do not know it yet
    this.byId.get(id)?.destroy();
    this.byId.set(id, socket);
    this.parts.traffic.receiving = this.byId.size;
    socket.setTimeout(SILENCE_MS);
    return this.parts.counts.joined(id, nowMs);
  }
}
