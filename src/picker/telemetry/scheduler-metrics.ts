import type { Endpoint } from '../scheduling/interface/endpoint-snapshot';
import type { Exposition, Labels } from './exposition';
import { Bounds, Histogram } from './histogram';
import { LabelLimiter, OTHER } from './label-limiter';

const MAX_MODELS = 1_000;
/** Endpoints come and go for as long as the picker runs. */
const MAX_SERIES = 10_000;

interface Attempts {
  count: number;
  readonly labels: Labels;
}

/** The scheduler and overhead groups of llm-d's metrics. */
export class SchedulerMetrics {
  /** Choosing an endpoint. */
  public readonly scheduleSeconds = new Histogram(Bounds.SCHEDULER_SECONDS);
  /** From a whole request to the decision, queueing included. */
  public readonly processingSeconds = new Histogram(Bounds.PROCESSING_SECONDS);
  /** Handling the messages of one answer. */
  public readonly responseSeconds = new Histogram(Bounds.RESPONSE_SECONDS);
  private readonly models = new LabelLimiter(MAX_MODELS);
  private readonly successes = new Map<string, Map<string, Attempts>>();
  private readonly failures = new Map<string, number>();
  private seriesCount = 0;

  public success(targetModel: string, endpoint: Endpoint): void {
    const attempts = this.successes.get(targetModel)?.get(endpoint.hostPort);
    if (attempts !== undefined) attempts.count++;
    else this.admit(targetModel, endpoint).count++;
  }

  public failure(targetModel: string): void {
    const model = this.models.admit(targetModel);
    this.failures.set(model, (this.failures.get(model) ?? 0) + 1);
  }

  private admit(targetModel: string, endpoint: Endpoint): Attempts {
    const full = this.seriesCount >= MAX_SERIES;
    const model = full ? OTHER : this.models.admit(targetModel);
    const key = full ? OTHER : endpoint.hostPort;
    let byEndpoint = this.successes.get(model);
    if (byEndpoint === undefined) this.successes.set(model, (byEndpoint = new Map()));
    let attempts = byEndpoint.get(key);
    if (attempts === undefined) {
      const [name, namespace, port] = full
        ? [OTHER, OTHER, OTHER]
        : [endpoint.name, endpoint.namespace ?? 'default', String(endpoint.port)];
      const labels = [
        'endpoint_name',
        name,
        'namespace',
        namespace,
        'port',
        port,
        'status',
        'success',
        'target_model_name',
        model,
      ];
      attempts = { count: 0, labels };
      byEndpoint.set(key, attempts);
      this.seriesCount++;
    }
    return attempts;
  }

  public write(out: Exposition): void {
    const attempts = 'llm_d_epp_scheduler_attempts_total';
    out.family(attempts, 'counter', 'Decisions of the scheduler.');
    for (const byEndpoint of this.successes.values()) {
      for (const { labels, count } of byEndpoint.values()) out.sample(attempts, labels, count);
    }
    for (const [model, count] of this.failures) {
      out.sample(
        attempts,
        ['endpoint_name', '', 'namespace', '', 'port', '', 'status', 'failure', 'target_model_name', model],
        count,
      );
    }
    out.family('llm_d_epp_scheduler_e2e_duration_seconds', 'histogram', 'Time to choose an endpoint.');
    out.histogram('llm_d_epp_scheduler_e2e_duration_seconds', [], this.scheduleSeconds);
    out.family(
      'llm_d_epp_request_processing_duration_seconds',
      'histogram',
      'Time from a whole request to its decision, queueing included.',
    );
    out.histogram('llm_d_epp_request_processing_duration_seconds', [], this.processingSeconds);
    out.family('llm_d_epp_response_processing_duration_seconds', 'histogram', 'Time spent on the messages of an answer.');
    out.histogram('llm_d_epp_response_processing_duration_seconds', [], this.responseSeconds);
  }
}
