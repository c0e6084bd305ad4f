import type { Clock } from '../../shared/clock';
import type { EndpointStore } from '../datastore/endpoint-store';
import type { PooledEndpoints } from '../datastore/pool-endpoints';
import type { Admission } from '../director/admission';
import { QueueAdmission } from '../director/queue-admission';
import { flowControlPage } from '../flow-control/flow-control-page';
import { nextReport } from '../metrics-scraper/report-signal';
import type { Exposition } from '../telemetry/exposition';
import type { Logger } from '../telemetry/log';
import type { QueueRules } from './queue-rules';

export interface QueueingParts {
  readonly inner: Admission;
  readonly store: EndpointStore;
  readonly pooled: PooledEndpoints;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onError: (error: unknown) => void;
}

/** A pool whose endpoints report nothing wakes nobody; the table may also have been replaced by a larger one. */
const REPORT_TIMEOUT_MS = 1_000;

/** Flow control at work: its timer, and the events that it waits for. */
export class Queueing {
  public readonly admission: QueueAdmission;
  private timer: NodeJS.Timeout | undefined;
  private isFollowing = false;

  public constructor(private readonly parts: QueueingParts) {
    const { inner, log, clock, pooled } = parts;
    this.admission = new QueueAdmission(inner, {
      log,
      nowMs: () => clock.nowMs(),
      wakeAt: (atMs) => this.wakeAt(atMs),
      onQueued: () => this.followReports(),
    });
    pooled.onChange(() => this.guarded(() => this.admission.flow?.endpointsChanged()));
  }

  public use({ settings, tenants }: QueueRules): void {
    this.admission.use(settings, tenants);
  }

  /** Refuses everyone who waits; another replica has room. */
  public drain(): void {
    this.guarded(() => this.admission.flow?.drain());
  }

  public stop(): void {
    clearTimeout(this.timer);
  }

  public write(out: Exposition): void {
    const { flow } = this.admission;
    if (flow === undefined || !flow.limits.queues) return;
    const nowMs = this.parts.clock.nowMs();
    flow.metrics.write(out, new Map([...flow.allLines()].map((line) => [line.name, line.saturation(nowMs)])));
  }

  public page(): string {
    return flowControlPage(this.admission.flow, this.parts.clock.nowMs());
  }

  private wakeAt(atMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.guarded(() => this.admission.flow?.tick()), Math.max(0, atMs - this.parts.clock.nowMs()));
    this.timer.unref();
  }

  private followReports(): void {
    if (this.isFollowing) return;
    this.isFollowing = true;
    void this.untilNobodyWaits();
  }

  private async untilNobodyWaits(): Promise<void> {
    do {
      await nextReport(this.parts.store.snapshot.table, REPORT_TIMEOUT_MS);
      this.guarded(() => this.admission.flow?.pump());
    } while ((this.admission.flow?.queued ?? 0) > 0);
    this.isFollowing = false;
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.parts.onError(error);
    }
  }
}
