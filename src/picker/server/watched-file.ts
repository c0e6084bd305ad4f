import { readFileSync, statSync } from 'node:fs';

/** How often files are looked at; a stat a second costs nothing that can be measured. */
const POLL_INTERVAL_MS = 1_000;

/**
 * Tells of changes of files by their content. Polled, because a mounted ConfigMap or Secret changes by a symbolic link that is swapped
 * above the file, which file system events of the path do not report.
 */
export class WatchedFiles {
  private signature: string;
  private readonly timer: NodeJS.Timeout;

  /** @param onChange called after any of the files changed; its exceptions are its own affair */
  public constructor(
    private readonly paths: readonly string[],
    private readonly onChange: () => void,
    intervalMs = POLL_INTERVAL_MS,
  ) {
    this.signature = this.look();
    this.timer = setInterval(() => this.poll(), intervalMs);
    this.timer.unref();
  }

  public close(): void {
    clearInterval(this.timer);
  }

  private poll(): void {
    const signature = this.look();
    if (signature === this.signature) return;
    this.signature = signature;
    this.onChange();
  }

  /** Inode, size and time of change of all files: a rewrite in place and a swap both show. */
  private look(): string {
    return this.paths
      .map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
        return stat === undefined ? 'absent' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
      })
      .join(' ');
  }
}

/** The text of a file, or why it cannot be read in the words of the system (`ENOENT: no such file…`). */
export function readText(path: string): { readonly text: string } | { readonly error: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
