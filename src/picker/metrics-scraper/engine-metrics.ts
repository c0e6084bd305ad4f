/** A metric, and the label that its series must have if the metric stands for several things. */
export interface MetricSpec {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Where an engine says how large its KV cache is: in two labels of one metric, or in the values of two. */
export type CacheInfoSpec =
  | { readonly kind: 'labels'; readonly metric: MetricSpec; readonly blockSizeLabel: string; readonly numBlocksLabel: string }
  | { readonly kind: 'values'; readonly blockSize: MetricSpec; readonly numBlocks: MetricSpec };

/** Which metrics of an engine say what. */
export interface EngineMetrics {
  readonly waiting?: MetricSpec;
  readonly running?: MetricSpec;
  /** Names that it has had, the current one first; the first that is on the page counts. */
  readonly kvUsage: readonly MetricSpec[];
  /** `vllm:lora_requests_info` or alike: adapters in labels, a timestamp as value. */
  readonly adapters?: MetricSpec;
  readonly cacheInfo?: CacheInfoSpec;
}

/** Label of an endpoint that names its engine. */
export const ENGINE_LABEL = 'llm-d.ai/engine-type';
/** The name of that label before the move to llm-d. */
export const LEGACY_ENGINE_LABEL = 'inference.networking.k8s.io/engine-type';

export const DEFAULT_ENGINE = 'vllm';

const tritonLlm = (type: string): MetricSpec => ({ name: 'nv_trt_llm_request_metrics', labels: { request_type: type } });
const tritonCache = (type: string): MetricSpec => ({
  name: 'nv_trt_llm_kv_cache_block_metrics',
  labels: { kv_cache_block_type: type },
});

/** By the engine label's value. Model server protocol (Gateway API Inference Extension, proposal 003) and the engines' own documents. */
export const ENGINE_METRICS: ReadonlyMap<string, EngineMetrics> = new Map<string, EngineMetrics>([
  [
    'vllm',
    {
      waiting: { name: 'vllm:num_requests_waiting' },
      running: { name: 'vllm:num_requests_running' },
      // the second is what vLLM's engine V0 exports
      kvUsage: [{ name: 'vllm:kv_cache_usage_perc' }, { name: 'vllm:gpu_cache_usage_perc' }],
      adapters: { name: 'vllm:lora_requests_info' },
      cacheInfo: {
        kind: 'labels',
        metric: { name: 'vllm:cache_config_info' },
        blockSizeLabel: 'block_size',
        numBlocksLabel: 'num_gpu_blocks',
      },
    },
  ],
  [
    'sglang',
    {
      waiting: { name: 'sglang:num_queue_reqs' },
      running: { name: 'sglang:num_running_reqs' },
      kvUsage: [{ name: 'sglang:token_usage' }],
      cacheInfo: {
        kind: 'labels',
        metric: { name: 'sglang:cache_config_info' },
        blockSizeLabel: 'page_size',
        numBlocksLabel: 'num_pages',
      },
    },
  ],
  [
    'trtllm-serve',
    {
      waiting: { name: 'trtllm_num_requests_waiting' },
      running: { name: 'trtllm_num_requests_running' },
      kvUsage: [{ name: 'trtllm_kv_cache_utilization' }],
      cacheInfo: {
        kind: 'values',
        blockSize: { name: 'trtllm_kv_cache_tokens_per_block' },
        numBlocks: { name: 'trtllm_kv_cache_max_blocks' },
      },
    },
  ],
  [
    'triton-tensorrt-llm',
    {
      waiting: tritonLlm('waiting'),
      running: tritonLlm('scheduled'),
      kvUsage: [tritonCache('fraction')],
      cacheInfo: { kind: 'values', blockSize: tritonCache('tokens_per'), numBlocks: tritonCache('max') },
    },
  ],
  // nv_inference_exec_count, which llm-d takes for the running requests here, counts executions since the start and never falls
  ['triton', { waiting: { name: 'nv_inference_pending_request_count' }, kvUsage: [] }],
]);
