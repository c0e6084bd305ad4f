import { write, writeSync } from 'node:fs';

/** Text that waits for a slow reader; what comes on top of it is lost. */
const MAX_WAITING_CHARS = 4 << 20;
const BUSY_RETRY_MS = 50;

/**
 * Lines to a file descriptor, written without waiting. A log can be lost, requests cannot: where a line cannot be written (the disk is full,
 * the reader is gone or too slow) it is dropped, and the number of dropped lines is said as soon as one can be written again.
 */
export class LogOutput {
  private waiting: string[] = [];
  private waitingChars = 0;
  private lost = 0;
  private isWriting = false;

  public constructor(private readonly fd: number) {}

  public write(line: string): void {
    if (this.waitingChars >= MAX_WAITING_CHARS) {
      this.lost++;
      return;
    }
    this.waiting.push(line);
    this.waitingChars += line.length;
    if (!this.isWriting) this.start();
  }

  /** Writes what waits before it returns, as far as that is possible: for the last words of a process. */
  public flushSync(): void {
    const { bytes } = this.take();
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch {
      // there is nowhere left to say it
    }
  }

  private start(): void {
    const { bytes, lines } = this.take();
    this.isWriting = bytes.length > 0;
    if (this.isWriting) this.continue(bytes, 0, lines);
  }

  private continue(bytes: Buffer, from: number, lines: number): void {
    write(this.fd, bytes, from, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.continue(bytes, from, lines), BUSY_RETRY_MS);
        return;
      }
      if (error === null && from + written < bytes.length) {
        this.continue(bytes, from + written, lines);
        return;
      }
      if (error !== null) this.lost += lines;
      this.start();
    });
  }

  private take(): { readonly bytes: Buffer; readonly lines: number } {
    const { waiting, lost } = this;
    this.waiting = [];
    this.waitingChars = 0;
    if (waiting.length === 0) return { bytes: Buffer.alloc(0), lines: 0 };
    if (lost > 0) waiting.unshift(lostLine(lost));
    this.lost = 0;
    // a note that is lost counts for the lines that it spoke of
    return { bytes: Buffer.from(waiting.join('')), lines: waiting.length + Math.max(0, lost - 1) };
  }
}

function lostLine(count: number): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), count, msg: 'lines of the log could not be written' })}\n`;
}
