import type { EngineMetrics, MetricSpec } from './engine-metrics';
import { FamilyFinder } from './family-finder';
import { SeriesCursor } from './series-cursor';

/** What one page said. Undefined where it said nothing; reused for the next page. */
export interface EngineReport {
  /** Sum over series: several engines or data-parallel ranks may share a page. */
  waiting: number | undefined;
  running: number | undefined;
  /** The fullest of several caches, 0 to 1. */
  kvUsageRatio: number | undefined;
  blockSizeTokens: number | undefined;
  /** Sum over series. */
  kvBlocks: number | undefined;
  adapters: AdapterReport | undefined;
}

export interface AdapterReport {
  readonly max: number;
  readonly running: readonly string[];
  readonly waiting: readonly string[];
}

/** One metric to read: where it was last, and which of its series count. */
class Metric {
  public readonly cursor: SeriesCursor;
  private readonly finder: FamilyFinder;

  public constructor(public readonly spec: MetricSpec) {
    this.finder = new FamilyFinder(spec.name);
    this.cursor = new SeriesCursor(Buffer.from(spec.name));
  }

  public find(page: Buffer): boolean {
    return this.finder.find(page, this.cursor);
  }

  /** Moves to the next series that counts and has a finite value. */
  public next(): boolean {
    while (this.cursor.next()) {
      if (Number.isFinite(this.cursor.value) && this.cursor.hasLabels(this.spec.labels)) return true;
    }
    return false;
  }

  public sum(page: Buffer): number | undefined {
    let sum: number | undefined;
    if (this.find(page)) while (this.next()) sum = (sum ?? 0) + Math.max(0, this.cursor.value);
    return sum;
  }

  public max(page: Buffer): number | undefined {
    let max: number | undefined;
    if (this.find(page)) while (this.next()) max = Math.max(max ?? 0, this.cursor.value);
    return max;
  }
}

/** Reads the pages of one endpoint. */
export class EnginePageReader {
  private readonly waiting: Metric | undefined;
  private readonly running: Metric | undefined;
  private readonly kvUsage: readonly Metric[];
  private readonly adapters: Metric | undefined;
  private readonly cacheInfo: readonly Metric[];
  private readonly report: EngineReport = {
    waiting: undefined,
    running: undefined,
    kvUsageRatio: undefined,
    blockSizeTokens: undefined,
    kvBlocks: undefined,
    adapters: undefined,
  };

  public constructor(private readonly engine: EngineMetrics) {
    const metric = (spec: MetricSpec | undefined): Metric | undefined => (spec === undefined ? undefined : new Metric(spec));
    this.waiting = metric(engine.waiting);
    this.running = metric(engine.running);
    this.kvUsage = engine.kvUsage.map((spec) => new Metric(spec));
    this.adapters = metric(engine.adapters);
    const info = engine.cacheInfo;
    this.cacheInfo =
      info === undefined
        ? []
        : (info.kind === 'labels' ? [info.metric] : [info.blockSize, info.numBlocks]).map((spec) => new Metric(spec));
  }

  /** Names of the load metrics, for a message when none of them is there. */
  public get loadMetricNames(): string[] {
    return [this.waiting, this.running, ...this.kvUsage].flatMap((metric) => metric?.spec.name ?? []);
  }

  /** @param wantsCacheInfo false leaves out what cannot change while the engine runs */
  public read(page: Buffer, wantsCacheInfo: boolean): EngineReport {
    const report = this.report;
    report.waiting = this.waiting?.sum(page);
    report.running = this.running?.sum(page);
    report.kvUsageRatio = undefined;
    for (const metric of this.kvUsage) {
      const usage = metric.max(page);
      if (usage === undefined) continue;
      report.kvUsageRatio = Math.min(1, usage);
      break;
    }
    report.adapters = this.adapters === undefined ? undefined : newestAdapters(page, this.adapters);
    report.blockSizeTokens = undefined;
    report.kvBlocks = undefined;
    if (wantsCacheInfo) this.readCacheInfo(page);
    return report;
  }

  private readCacheInfo(page: Buffer): void {
    const report = this.report;
    const info = this.engine.cacheInfo;
    if (info === undefined) return;
    const [first, second] = this.cacheInfo;
    if (info.kind === 'values') {
      report.blockSizeTokens = first!.max(page);
      report.kvBlocks = second!.sum(page);
      return;
    }
    if (!first!.find(page)) return;
    while (first!.next()) {
      const blockSize = positive(first!.cursor.label(info.blockSizeLabel));
      const blocks = positive(first!.cursor.label(info.numBlocksLabel));
      report.blockSizeTokens ??= blockSize;
      if (blocks !== undefined) report.kvBlocks = (report.kvBlocks ?? 0) + blocks;
    }
  }
}

/** The value is the time of the report, and old series stay on the page: the largest value is in force. */
function newestAdapters(page: Buffer, metric: Metric): AdapterReport | undefined {
  if (!metric.find(page)) return undefined;
  let newest = Number.NEGATIVE_INFINITY;
  let report: AdapterReport | undefined;
  const { cursor } = metric;
  while (metric.next()) {
    if (cursor.value <= newest) continue;
    newest = cursor.value;
    report = {
      max: Math.trunc(positive(cursor.label('max_lora')) ?? 0),
      running: names(cursor.label('running_lora_adapters')),
      waiting: names(cursor.label('waiting_lora_adapters')),
    };
  }
  return report;
}

function names(list = ''): string[] {
  return list.split(',').flatMap((name) => name.trim() || []);
}

/** Labels may hold `None`. */
function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return value > 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
