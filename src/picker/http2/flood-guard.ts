import { ConnectionError, ENHANCE_YOUR_CALM } from './error-codes';
import type { Http2Limits } from './limits';

/** Control frames that one unit of work (a message received, a DATA frame sent) pays for: WINDOW_UPDATEs, PINGs of a bandwidth probe. */
const CONTROL_FRAMES_PER_WORK = 4;

/**
 * Counts what a peer makes the server do for nothing (RFC 9113 section 10.5). A proxy resets every stream it is done with, so
 * resets are held against work done and not against time: a reset behind a complete message is free, for ever.
 */
export class FloodGuard {
  private resetsLeft: number;
  private controlFramesLeft: number;

  constructor(private readonly limits: Http2Limits) {
    this.resetsLeft = limits.maxFruitlessResets;
    this.controlFramesLeft = limits.maxControlFrames;
  }

  messageReceived(): void {
    if (this.resetsLeft < this.limits.maxFruitlessResets) this.resetsLeft++;
    this.dataSent();
  }

  dataSent(): void {
    const left = this.controlFramesLeft + CONTROL_FRAMES_PER_WORK;
    this.controlFramesLeft = left < this.limits.maxControlFrames ? left : this.limits.maxControlFrames;
  }

  /**
   * A frame that carries no data. `cost` is above 1 where it makes the server visit every stream.
   *
   * @throws ConnectionError ENHANCE_YOUR_CALM
   */
  controlFrame(cost: number): void {
    this.controlFramesLeft -= cost;
    if (this.controlFramesLeft < 0) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many control frames');
  }

  /**
   * A stream was reset, by the peer or because of the peer's fault, before a complete message had arrived.
   *
   * @throws ConnectionError ENHANCE_YOUR_CALM
   */
  fruitlessReset(): void {
    if (--this.resetsLeft < 0) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many streams reset without a message');
  }

  /** Called about once a second. */
  forgive(elapsedMs: number): void {
    const { maxFruitlessResets, fruitlessResetsForgivenPerSecond, maxControlFrames, controlFramesForgivenPerSecond } =
      this.limits;
    const seconds = elapsedMs / 1000;
    this.resetsLeft = Math.min(maxFruitlessResets, this.resetsLeft + seconds * fruitlessResetsForgivenPerSecond);
    this.controlFramesLeft = Math.min(maxControlFrames, this.controlFramesLeft + seconds * controlFramesForgivenPerSecond);
  }
}
