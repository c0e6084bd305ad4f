import type { Clock } from '../../shared/clock';
import type { RandomSource } from '../../shared/random';
import { EndpointTable } from '../scheduling/interface/endpoint-table';
import { GpuScrapeTask } from './gpu-scrape-task';
import { BodyBuffers } from './http-response-reader';
import type { ScrapeEvent, ScraperHost, ScraperOptions, ScrapeTarget, ScrapeUpdate } from './scrape-protocol';
import { type ScrapeSurroundings, ScrapeTask } from './scrape-task';

const MIN_TICK_MS = 5;
const MAX_TICK_MS = 25;

/** Scrapes all endpoints from one thread. One timer looks after all of them: connections, due times and timeouts. */
export class ScrapeLoop implements ScraperHost {
  private readonly tasks = new Map<string, ScrapeTask>();
  /** By the exporter's address. */
  private readonly gpuTasks = new Map<string, GpuScrapeTask>();
  private readonly around: ScrapeSurroundings;
  private readonly timer: NodeJS.Timeout;
  private readonly tickMs: number;
  private table: EndpointTable | undefined;

  public constructor(
    options: ScraperOptions,
    private readonly clock: Clock,
    random: RandomSource,
    onEvent: (event: ScrapeEvent) => void,
  ) {
    this.around = {
      options,
      buffers: new BodyBuffers(),
      table: () => this.table!,
      nowMs: () => clock.nowMs(),
      chance: () => random.next(),
      onEvent,
    };
    this.tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, options.intervals.busyMs / 2));
    this.timer = setInterval(() => this.tick(), this.tickMs);
  }

  public update({ capacity, buffer, targets }: ScrapeUpdate): void {
    if (this.table?.buffer !== buffer) this.table = new EndpointTable(capacity, buffer);
    this.updateGpus(targets);
    if (this.around.options.scrapesEngines === false) return;
    const keys = new Set<string>();
    for (const target of targets) {
      const key = `${target.slot}/${target.generation}/${target.engine}`;
      keys.add(key);
      if (!this.tasks.has(key)) this.tasks.set(key, new ScrapeTask(target, this.around));
    }
    for (const [key, task] of this.tasks) {
      if (keys.has(key)) continue;
      task.close();
      this.tasks.delete(key);
    }
  }

  public async stop(): Promise<void> {
    clearInterval(this.timer);
    for (const task of [...this.tasks.values(), ...this.gpuTasks.values()]) task.close();
    this.tasks.clear();
    this.gpuTasks.clear();
  }

  /** One exporter may see the GPUs of many endpoints: it is asked once for all of them. */
  private updateGpus(targets: readonly ScrapeTarget[]): void {
    const { gpu } = this.around.options;
    if (gpu === undefined) return;
    const byAddress = new Map<string, ScrapeTarget[]>();
    for (const target of targets) {
      const address = gpu.usesNodeAddress ? target.nodeAddress : target.address;
      if (address === undefined) continue;
      const known = byAddress.get(address);
      if (known === undefined) byAddress.set(address, [target]);
      else known.push(target);
    }
    for (const [address, task] of this.gpuTasks) {
      if (byAddress.has(address)) continue;
      task.close();
      this.gpuTasks.delete(address);
    }
    for (const [address, served] of byAddress) {
      const task = this.gpuTasks.get(address) ?? new GpuScrapeTask(address, gpu, this.around);
      task.serve(served);
      this.gpuTasks.set(address, task);
    }
  }

  private tick(): void {
    const nowMs = this.clock.nowMs();
    // what is due before the middle of the next tick goes now, or every interval would be half a tick too long
    const dueBeforeMs = nowMs + this.tickMs / 2;
    for (const task of this.tasks.values()) task.tick(nowMs, dueBeforeMs);
    for (const task of this.gpuTasks.values()) task.tick(nowMs, dueBeforeMs);
  }
}
