import { accessSync, constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { ConfigCode } from '../../picker-config/codes';
import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import { readText } from '../server/watched-file';
import type { Logger } from '../telemetry/log';
import { parseSnapshot, snapshotText } from './limit-snapshot';
import type { MemoryBudgets } from './memory-budgets';

/** What a picker that is killed may forget. */
const INTERVAL_MS = 1_000;
/** Writing takes at most this share of the time, however many keys there are. */
const MAX_WRITING_RATIO = 0.05;

export interface SnapshotParts {
  readonly budgets: MemoryBudgets;
  readonly log: Logger;
  /** Counts from 1970. */
  readonly clock: Clock;
}

/** Keeps the counters of this process in a file, for the process that follows it. */
export class SnapshotFile {
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private writtenRevision = -1;
  private isFailing = false;
  private stopped = false;

  public constructor(
    private readonly file: string,
    private readonly parts: SnapshotParts,
  ) {}

  /** Why the file could not be written; undefined when it can. */
  public problem(): Problem | undefined {
    const folder = path.dirname(this.file);
    try {
      accessSync(folder, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return {
        code: ConfigCode.UNUSABLE_FILE,
        what: `the snapshot of limits cannot be written: ${(error as Error).message}`,
        value: this.file,
        fix: 'mount a volume there that the picker may write to, or remove store.memory.file',
        where: folder,
      };
    }
  }

  /** Goes on where the last process stopped. A file that is not there, broken or of another version is said, and nothing else. */
  public restore(): void {
    const { budgets, log, clock } = this.parts;
    const read = readText(this.file);
    if ('error' in read) {
      log.info({ file: this.file, reason: read.error }, 'there is no snapshot of limits, all start at nothing');
      return;
    }
    const snapshot = parseSnapshot(read.text);
    if ('fault' in snapshot) {
      log.error({ file: this.file, reason: snapshot.fault }, 'the snapshot of limits cannot be used, all start at nothing');
      return;
    }
    const keys = budgets.restore(snapshot.records);
    const ageSeconds = Math.round((clock.nowMs() - snapshot.savedAtMs) / 1e3);
    log.info({ file: this.file, keys, ageSeconds }, 'the limits count on from their snapshot');
  }

  public start(): void {
    this.next(INTERVAL_MS);
  }

  /** Writes what is there now, and nothing after it. */
  public async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.writing;
    await this.write();
  }

  private next(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.writing = this.write().then((tookMs) => this.next(Math.max(INTERVAL_MS, tookMs / MAX_WRITING_RATIO)));
    }, delayMs);
    this.timer.unref();
  }

  /** Milliseconds that it took. */
  private async write(): Promise<number> {
    const { budgets, clock, log } = this.parts;
    const { revision } = budgets;
    if (revision === this.writtenRevision) return 0;
    const startedMs = clock.nowMs();
    const draft = `${this.file}.new`;
    try {
      const handle = await open(draft, 'w', 0o600);
      try {
        for (const piece of snapshotText(budgets.records(), startedMs)) await handle.write(piece);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, this.file);
      this.writtenRevision = revision;
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing)
        log.error({ file: this.file, reason: (error as Error).message }, 'the snapshot of limits cannot be written');
      this.isFailing = true;
    }
    return clock.nowMs() - startedMs;
  }
}
