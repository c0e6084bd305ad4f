import type { Histogram } from '../core/histogram';
import type { Served } from './generation';

/** The page's media type (Prometheus text format 0.0.4). */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** `GET /metrics` with vLLM's V1 names and labels. */
export function metricsPage({ engine, models }: Served): string {
  const { stats, profile, kv, faults } = engine;
  const told = (reported: number, truth: number): number => (reported === -1 ? truth : reported);
  const labels = `engine="0",model_name="${escaped(models[0]!)}"`;
  const page = new Page(labels);

  page.gauge('vllm:num_requests_running', 'Sequences in the batch.', told(faults.reportedRunning, engine.runningSequences));
  page.gauge(
    'vllm:num_requests_waiting',
    'Requests that wait for a place in the batch.',
    told(faults.reportedWaiting, engine.waitingRequests),
  );
  page.gauge('vllm:kv_cache_usage_perc', 'KV blocks in use, 1 means all.', told(faults.reportedKvUsageRatio, kv.usageRatio));
  const adapters = engine.adaptersInUse();
  const loraLabels = `max_lora="${profile.maxAdapters}",running_lora_adapters="${escaped(adapters.running.join(','))}",waiting_lora_adapters="${escaped(adapters.waiting.join(','))}"`;
  page.series('vllm:lora_requests_info', 'gauge', 'Adapters in use; the value is the time of the report.', [
    [loraLabels, Date.now() / 1000],
  ]);
  const cacheLabels = `block_size="${profile.blockTokens}",enable_prefix_caching="${profile.prefixCaching ? 'True' : 'False'}",engine="0",num_gpu_blocks="${profile.kvBlocks}"`;
  page.series('vllm:cache_config_info', 'gauge', 'Configuration of the KV cache.', [[cacheLabels, 1]]);

  page.counter('vllm:prefix_cache_queries', 'Prompt tokens looked up in the prefix cache.', stats.prefixQueriedTokens);
  page.counter('vllm:prefix_cache_hits', 'Prompt tokens found in the prefix cache.', stats.prefixHitTokens);
  page.counter('vllm:num_preemptions', 'Sequences that lost their memory to an older one.', stats.preemptions);
  page.counter('vllm:prompt_tokens', 'Prompt tokens of started answers.', stats.promptTokens);
  page.counter('vllm:generation_tokens', 'Tokens generated.', stats.generationTokens);
  const finished = Object.entries(stats.finished).map(([reason, count]): [string, number] => [
    `${labels},finished_reason="${reason}"`,
    count,
  ]);
  page.series('vllm:request_success_total', 'counter', 'Finished requests.', finished);

  page.histogram('vllm:time_to_first_token_seconds', 'Arrival to first token.', stats.timeToFirstToken);
  page.histogram('vllm:inter_token_latency_seconds', 'Token to token.', stats.interTokenLatency);
  page.histogram('vllm:time_per_output_token_seconds', 'Mean time from token to token of one request.', stats.timePerOutputToken);
  page.histogram('vllm:e2e_request_latency_seconds', 'Arrival to last token.', stats.endToEnd);
  page.histogram('vllm:request_queue_time_seconds', 'Arrival to start.', stats.queueTime);
  page.histogram('vllm:request_prefill_time_seconds', 'Start to first token.', stats.prefillTime);
  page.histogram('vllm:request_decode_time_seconds', 'First to last token.', stats.decodeTime);
  page.histogram('vllm:request_inference_time_seconds', 'Start to last token.', stats.inferenceTime);
  page.histogram('vllm:request_prompt_tokens', 'Prompt tokens of a request.', stats.requestPromptTokens);
  page.histogram('vllm:request_generation_tokens', 'Tokens generated for a request.', stats.requestGenerationTokens);
  // The longest of a request's choices; the simulated engine makes one.
  page.histogram('vllm:request_max_num_generation_tokens', 'Tokens of the longest choice.', stats.requestGenerationTokens);
  page.histogram('vllm:request_params_max_tokens', 'max_tokens of a request.', stats.requestMaxTokens);
  return page.text;
}

class Page {
  text = '';

  constructor(private readonly labels: string) {}

  gauge(name: string, help: string, value: number): void {
    this.series(name, 'gauge', help, [[this.labels, value]]);
  }

  /** Python's client library, which vLLM uses, appends `_total`. */
  counter(name: string, help: string, value: number): void {
    this.series(`${name}_total`, 'counter', help, [[this.labels, value]]);
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    const bounds = [...histogram.bounds.map(String), '+Inf'];
    this.head(name, 'histogram', help);
    histogram.cumulative().forEach((count, index) => {
      this.text += `${name}_bucket{${this.labels},le="${bounds[index]}"} ${count}\n`;
    });
    this.text += `${name}_sum{${this.labels}} ${histogram.sum}\n${name}_count{${this.labels}} ${histogram.count}\n`;
  }

  series(name: string, type: string, help: string, samples: [labels: string, value: number][]): void {
    this.head(name, type, help);
    for (const [labels, value] of samples) this.text += `${name}{${labels}} ${value}\n`;
  }

  private head(name: string, type: string, help: string): void {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }
}

function escaped(label: string): string {
  return label.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
