import { connect, type Socket } from 'node:net';
import type { RandomSource } from '../../shared/random';
import { Backoff } from '../kube/backoff';
import { FrameBuffer } from './frame-buffer';
import { proofOf } from './peer-secret';
import type { PeerTraffic } from './peer-traffic';
import {
  type EndpointCounts,
  encodeCounts,
  encodeHello,
  type Greeting,
  MAX_COUNTS,
  PEER_VERSION,
  type PeerFrame,
} from './wire-format';

/** A connection that was not made, or not greeted, by then has failed. */
const CONNECT_MS = 3_000;
/** Longest wait before the next attempt; a replica that starts is found by the name anyway. */
const LONGEST_WAIT_MS = 5_000;
/** A replica of another version, or this very one behind another address, stays what it is for a while. */
const STRANGER_WAIT_MS = 30_000;
/** Bytes that wait for a slow peer; more is not added, and after `SLOW_MS` it is given up. */
const MAX_WAITING_BYTES = 1 << 18;
const SLOW_MS = 2_000;
/** Silence would be taken for death. */
const HEARTBEAT_MS = 500;

export interface PeerClientParts {
  readonly id: Buffer;
  readonly secret: Buffer | undefined;
  readonly traffic: PeerTraffic;
  readonly random: RandomSource;
  /** Whether another connection goes to that replica already; if not, this one does from here on. */
  claim(peerId: string, client: PeerClient): boolean;
  release(peerId: string, client: PeerClient): void;
}

export type PeerClientState = 'connecting' | 'sending' | 'waiting' | 'self' | 'duplicate' | 'stranger';

/** Tells one address what this picker has under way, and comes back when the connection is lost. */
export class PeerClient {
  public state: PeerClientState = 'connecting';
  public peerId: string | undefined;
  public lastFailure: string | undefined;
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly backoff: Backoff;
  private isClosed = false;
  private toldRound = 0;
  private wroteAtMs = 0;
  private slowSinceMs: number | undefined;

  public constructor(
    public readonly host: string,
    public readonly port: number,
    private readonly parts: PeerClientParts,
  ) {
    this.backoff = new Backoff(parts.random, LONGEST_WAIT_MS);
    this.open();
  }

  public close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket?.destroy();
  }

  /** Sends what has changed, where the peer keeps up. @param prefixes frames that are copied */
  public tell(round: number, since: (round: number) => readonly EndpointCounts[], prefixes: Buffer, nowMs: number): void {
    const { socket } = this;
    if (this.state !== 'sending' || socket === undefined) return;
    if (socket.writableLength > MAX_WAITING_BYTES) {
      this.slowSinceMs ??= nowMs;
      if (nowMs - this.slowSinceMs > SLOW_MS) this.fail('slow', 'it does not read');
      return;
    }
    this.slowSinceMs = undefined;
    const changes = since(this.toldRound);
    this.toldRound = round;
    if (changes.length === 0 && prefixes.length === 0 && nowMs - this.wroteAtMs < HEARTBEAT_MS) return;
    this.wroteAtMs = nowMs;
    for (let at = 0; at === 0 || at < changes.length; at += MAX_COUNTS)
      this.write(encodeCounts(changes.slice(at, at + MAX_COUNTS)));
    if (prefixes.length > 0) this.write(Buffer.from(prefixes));
  }

  private write(bytes: Buffer): void {
    this.parts.traffic.sentBytes += bytes.length;
    this.socket!.write(bytes);
  }

  private open(): void {
    this.state = 'connecting';
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    this.socket = socket;
    this.toldRound = 0;
    this.wroteAtMs = 0;
    this.slowSinceMs = undefined;
    const buffer = new FrameBuffer();
    socket.setTimeout(CONNECT_MS, () => {
      if (this.state === 'connecting') this.fail('connection', 'no greeting');
    });
    socket.on('error', ({ message }) => {
      this.lastFailure = message;
    });
    socket.on('close', () => this.closed(socket));
    socket.on('data', (chunk: Buffer) => {
      const fault = buffer.take(chunk, (frame) => this.greeted(frame));
      if (fault !== undefined) this.fail('garbage', fault);
    });
  }

  private greeted(frame: PeerFrame): boolean {
    if (frame.kind !== 'greeting' || this.state !== 'connecting') {
      this.fail('garbage', `a ${frame.kind} out of turn`);
      return false;
    }
    return this.introduce(frame);
  }

  private introduce({ version, id, nonce }: Greeting): boolean {
    const { parts } = this;
    if (version !== PEER_VERSION) {
      this.state = 'stranger';
      this.fail('version', `version ${version}`);
      return false;
    }
    const peerId = id.toString('hex');
    const isSelf = id.equals(parts.id);
    if (isSelf || !parts.claim(peerId, this)) {
      this.state = isSelf ? 'self' : 'duplicate';
      this.socket!.destroy();
      return false;
    }
    this.peerId = peerId;
    this.write(encodeHello(parts.id, proofOf(parts.secret, nonce, id, parts.id)));
    this.state = 'sending';
    this.lastFailure = undefined;
    this.backoff.reset();
    return true;
  }

  private fail(reason: 'garbage' | 'version' | 'slow' | 'connection', detail: string): void {
    this.lastFailure = detail;
    this.parts.traffic.refuse(reason, `${this.host}:${this.port}: ${detail}`);
    this.socket?.destroy();
  }

  private closed(socket: Socket): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    if (this.peerId !== undefined) this.parts.release(this.peerId, this);
    this.peerId = undefined;
    if (this.isClosed) return;
    const isStranger = this.state === 'self' || this.state === 'stranger' || this.state === 'duplicate';
    const waitMs = isStranger ? STRANGER_WAIT_MS : this.backoff.nextMs();
    if (!isStranger) this.state = 'waiting';
    this.timer = setTimeout(() => this.open(), waitMs);
    this.timer.unref();
  }
}
