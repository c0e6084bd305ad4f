import { GpuPageReader } from './gpu-page-reader';
import { ScrapeConnection, type ScrapeListener } from './scrape-connection';
import { withJitterMs } from './scrape-interval';
import type { GpuScrapeOptions, ScrapeTarget } from './scrape-protocol';
import type { ScrapeSurroundings } from './scrape-task';

/** Pages in a row that may be missed before what the last one said counts no more. */
const FORGET_AFTER = 3;

/** Keeps the GPU columns of all endpoints that one DCGM exporter knows. */
export class GpuScrapeTask implements ScrapeListener {
  private readonly connection: ScrapeConnection;
  private readonly reader = new GpuPageReader();
  private dueAtMs: number;
  /** When the request went out; -1 while none is on its way. */
  private startedAtMs = -1;
  private failures = 0;
  private targets: readonly ScrapeTarget[] = [];
  /** Targets of which the last page had no GPU. */
  private readonly without = new Set<string>();

  public constructor(
    address: string,
    private readonly gpu: GpuScrapeOptions,
    private readonly around: ScrapeSurroundings,
  ) {
    const { port, path, tls } = gpu;
    const { maxPageBytes } = around.options;
    this.connection = new ScrapeConnection(
      {
        ...{ address, port, path, maxPageBytes },
        tls: tls === undefined ? undefined : { rejectUnauthorized: tls.verify, ca: tls.ca, cert: tls.cert, key: tls.key },
      },
      around.buffers,
      this,
    );
    this.dueAtMs = around.nowMs();
  }

  /** The endpoints whose GPUs the exporter sees, from here on. */
  public serve(targets: readonly ScrapeTarget[]): void {
    this.targets = targets;
    const keys = new Set(targets.map(keyOf));
    for (const key of this.without) if (!keys.has(key)) this.without.delete(key);
  }

  public tick(nowMs: number, dueBeforeMs: number): void {
    const { timeoutMs } = this.around.options;
    if (this.startedAtMs >= 0) {
      if (nowMs - this.startedAtMs >= timeoutMs) this.connection.abort(`no answer within ${timeoutMs} ms`);
      return;
    }
    if (this.dueAtMs > dueBeforeMs) return;
    this.startedAtMs = nowMs;
    this.connection.request();
  }

  public close(): void {
    this.connection.close();
  }

  public onPage(page: Buffer): void {
    const ratios = this.reader.read(
      page,
      this.targets.map(({ podName, namespace }) => ({ podName, namespace })),
    );
    if (ratios === undefined) {
      this.onFailure(`the page has none of ${GpuPageReader.METRICS.join(', ')}`);
      return;
    }
    this.targets.forEach((target, index) => {
      this.take(target, ratios[index]);
    });
    if (this.failures > 0) this.tell('gpu-recovered', this.targets[0], '');
    this.failures = 0;
    this.again();
  }

  public onFailure(reason: string): void {
    if (this.failures++ === 0) this.tell('gpu-failing', this.targets[0], reason);
    if (this.failures === FORGET_AFTER) for (const target of this.targets) this.write(target, 0, 0);
    this.again();
  }

  private take(target: ScrapeTarget, ratio: number | undefined): void {
    const key = keyOf(target);
    if (ratio === undefined) {
      this.write(target, 0, 0);
      if (this.without.has(key)) return;
      this.without.add(key);
      this.tell('gpu-failing', target, `the page has no GPU of pod '${target.podName}'`);
      return;
    }
    if (this.without.delete(key)) this.tell('gpu-recovered', target, '');
    this.write(target, ratio, this.around.nowMs());
  }

  /** @param atMs 0 for unknown */
  private write({ slot, generation }: ScrapeTarget, ratio: number, atMs: number): void {
    const table = this.around.table();
    // the main thread may have given the slot away before its message arrived here
    if (Atomics.load(table.generation, slot) !== generation) return;
    table.gpuUsageRatio[slot] = ratio;
    table.gpuUpdatedAtMs[slot] = atMs;
  }

  private again(): void {
    const next = this.startedAtMs + withJitterMs(this.gpu.intervalMs, this.around.chance());
    this.dueAtMs = Math.max(this.around.nowMs(), next);
    this.startedAtMs = -1;
  }

  private tell(kind: 'gpu-failing' | 'gpu-recovered', target: ScrapeTarget | undefined, reason: string): void {
    if (target === undefined) return;
    this.around.onEvent({ kind, slot: target.slot, generation: target.generation, reason });
  }
}

function keyOf({ slot, generation }: ScrapeTarget): string {
  return `${slot}/${generation}`;
}
