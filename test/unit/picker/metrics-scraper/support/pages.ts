export interface VllmPage {
  readonly waiting?: number | readonly number[];
  readonly running?: number | readonly number[];
  readonly kv?: number | readonly number[];
  readonly kvName?: string;
  readonly adapters?: string;
  readonly cacheInfo?: string;
  /** Filler of other families, before the ones that matter. */
  readonly fillerLines?: number;
}

function family(name: string, values: number | readonly number[]): string {
  const list = typeof values === 'number' ? [values] : values;
  const series = list.map((value, engine) => `${name}{engine="${engine}",model_name="meta-llama/Llama-3"} ${value}\n`).join('');
  return `# HELP ${name} About ${name}{} and others.\n# TYPE ${name} gauge\n${series}`;
}

/** A page as vLLM's looks: histograms first, the gauges that matter among them. */
export function vllmPage({
  waiting = 0,
  running = 0,
  kv = 0,
  kvName = 'vllm:kv_cache_usage_perc',
  adapters = '',
  cacheInfo = '',
  fillerLines = 0,
}: VllmPage = {}): string {
  const filler = Array.from(
    { length: fillerLines },
    (_, i) => `vllm:request_prompt_tokens_bucket{engine="0",le="${i * 100}.0",model_name="meta-llama/Llama-3"} ${i * 37}.0\n`,
  ).join('');
  return [
    '# HELP python_gc_objects_collected_total Objects collected\n# TYPE python_gc_objects_collected_total counter\n',
    'python_gc_objects_collected_total{generation="0"} 1234.0\n',
    filler,
    family('vllm:num_requests_running', running),
    family('vllm:num_requests_waiting', waiting),
    family('vllm:num_requests_waiting_by_reason', 99),
    family(kvName, kv),
    adapters,
    cacheInfo,
    'process_open_fds 42.0\n',
  ].join('');
}
