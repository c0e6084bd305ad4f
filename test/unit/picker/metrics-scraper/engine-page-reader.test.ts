import { ENGINE_METRICS } from '../../../../src/picker/metrics-scraper/engine-metrics';
import { EnginePageReader, type EngineReport } from '../../../../src/picker/metrics-scraper/engine-page-reader';
import { vllmPage } from './support/pages';

function read(page: string, engine = 'vllm'): EngineReport {
  return { ...new EnginePageReader(ENGINE_METRICS.get(engine)!).read(Buffer.from(page), true) };
}

const NOTHING = {
  waiting: undefined,
  running: undefined,
  kvUsageRatio: undefined,
  blockSizeTokens: undefined,
  kvBlocks: undefined,
  adapters: undefined,
};

describe('reading an engine page', () => {
  test('a vLLM page', () => {
    const cacheInfo = 'vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="27648"} 1.0\n';
    expect(read(vllmPage({ waiting: 3, running: 17, kv: 0.4375, cacheInfo }))).toEqual({
      ...NOTHING,
      waiting: 3,
      running: 17,
      kvUsageRatio: 0.4375,
      blockSizeTokens: 16,
      kvBlocks: 27_648,
    });
  });

  test('B11: the KV cache metric under its name in engine V0', () => {
    expect(read(vllmPage({ kv: 0.25, kvName: 'vllm:gpu_cache_usage_perc' })).kvUsageRatio).toBe(0.25);
  });

  test('where both names are on the page, the current one counts', () => {
    expect(read(`vllm:gpu_cache_usage_perc 0.9\nvllm:kv_cache_usage_perc 0.1\n`).kvUsageRatio).toBe(0.1);
  });

  test('B10: several engines on a page: queues and running requests add up, the fullest cache counts', () => {
    const report = read(vllmPage({ waiting: [1, 2, 4], running: [10, 0, 5], kv: [0.2, 0.9, 0.1] }));
    expect(report).toMatchObject({ waiting: 7, running: 15, kvUsageRatio: 0.9 });
  });

  test('caches of several engines add up', () => {
    const line = (engine: number) => `vllm:cache_config_info{block_size="32",engine="${engine}",num_gpu_blocks="1000"} 1.0\n`;
    expect(read(line(0) + line(1))).toMatchObject({ blockSizeTokens: 32, kvBlocks: 2000 });
  });

  test.each([
    [
      'sglang',
      'sglang:num_queue_reqs 4\nsglang:num_running_reqs 5\nsglang:token_usage 0.5\nsglang:cache_config_info{page_size="64",num_pages="500"} 1\n',
      [4, 5, 0.5, 64, 500],
    ],
    [
      'trtllm-serve',
      'trtllm_num_requests_waiting 4\ntrtllm_num_requests_running 5\ntrtllm_kv_cache_utilization 0.5\ntrtllm_kv_cache_tokens_per_block 32\ntrtllm_kv_cache_max_blocks 900\n',
      [4, 5, 0.5, 32, 900],
    ],
    [
      'triton-tensorrt-llm',
      [
        'nv_trt_llm_request_metrics{model="m",request_type="active",version="1"} 99',
        'nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 4',
        'nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 5',
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="m"} 0.5',
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="m"} 64',
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="m"} 77\n',
      ].join('\n'),
      [4, 5, 0.5, 64, 77],
    ],
    [
      'triton',
      'nv_inference_pending_request_count{model="a"} 3\nnv_inference_pending_request_count{model="b"} 1\nnv_inference_exec_count{model="a"} 1e6\n',
      [4, undefined, undefined, undefined, undefined],
    ],
  ])('engine %s', (engine, page, [waiting, running, kvUsageRatio, blockSizeTokens, kvBlocks]) => {
    expect(read(page, engine)).toEqual({ waiting, running, kvUsageRatio, blockSizeTokens, kvBlocks, adapters: undefined });
  });

  test('the newest adapter report counts, wherever it stands', () => {
    const line = (running: string, waiting: string, at: string) =>
      `vllm:lora_requests_info{max_lora="4",running_lora_adapters="${running}",waiting_lora_adapters="${waiting}"} ${at}\n`;
    const adapters = line('old', '', '1.7e9') + line(' sql , chat,', 'code', '1795466359.25') + line('older', '', '1');
    expect(read(vllmPage({ adapters })).adapters).toEqual({ max: 4, running: ['sql', 'chat'], waiting: ['code'] });
  });

  test.each([
    ['a comment', '# HELP vllm:num_requests_waiting 7\n'],
    ['a longer name', 'vllm:num_requests_waiting_total 7\n'],
    ['the middle of a line', 'x vllm:num_requests_waiting 7\n'],
    ['a label', 'x{a="vllm:num_requests_waiting 7"} 1\n'],
    ['a name without a value', 'vllm:num_requests_waiting'],
    ['a value that is no number', 'vllm:num_requests_waiting seven\n'],
    ['a hexadecimal value', 'vllm:num_requests_waiting 0x7\n'],
    ['NaN', 'vllm:num_requests_waiting NaN\n'],
    ['infinity', 'vllm:num_requests_waiting +Inf\n'],
    ['labels that do not end', 'vllm:num_requests_waiting{a="b 7\n'],
    ['a quote that does not end', 'vllm:num_requests_waiting{a="} 7\n'],
    ['nothing', ''],
  ])('%s is not taken for a value', (_, page) => {
    expect(read(page)).toEqual(NOTHING);
  });

  test.each([
    ['a timestamp after it', 'vllm:num_requests_waiting 7 1700000000000\n', 7],
    ['a tab before it', 'vllm:num_requests_waiting\t7\n', 7],
    ['Windows line ends', 'vllm:num_requests_waiting 7\r\n', 7],
    ['no line end', 'vllm:num_requests_waiting 7', 7],
    ['an exponent', 'vllm:num_requests_waiting 1.25e+02\n', 125],
    ['a fraction', 'vllm:num_requests_waiting 7.0\n', 7],
    ['a brace in a label', 'vllm:num_requests_waiting{a="}"} 7\n', 7],
    ['a quote in a label', 'vllm:num_requests_waiting{a="\\"} 1"} 7\n', 7],
    ['a negative value, which counts as none', 'vllm:num_requests_waiting -3\n', 0],
    ['a bad series beside a good one', 'vllm:num_requests_waiting{e="0"} NaN\nvllm:num_requests_waiting{e="1"} 7\n', 7],
    ['17 digits', 'vllm:num_requests_waiting 12345678901234567\n', 12345678901234568],
  ])('a value with %s', (_, page, expected) => {
    expect(read(page).waiting).toBe(expected);
  });

  test('unknown cache sizes stay unknown', () => {
    expect(read('vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0\n')).toMatchObject({
      blockSizeTokens: 16,
      kvBlocks: undefined,
    });
  });

  test('a usage above 1 is full', () => {
    expect(read('vllm:kv_cache_usage_perc 1.7\n').kvUsageRatio).toBe(1);
  });

  test('a reader that has seen other pages reads the same as a fresh one', () => {
    const reader = new EnginePageReader(ENGINE_METRICS.get('vllm')!);
    for (const page of [
      vllmPage({ waiting: 1, fillerLines: 300 }),
      vllmPage({ waiting: [2, 3, 4], fillerLines: 300 }),
      vllmPage({ waiting: 123456, running: [1, 2], fillerLines: 301 }),
      vllmPage({ waiting: 5 }),
      '',
      vllmPage({ waiting: 6, kvName: 'vllm:gpu_cache_usage_perc', kv: 0.5, fillerLines: 20 }),
    ]) {
      expect({ ...reader.read(Buffer.from(page), true) }).toEqual(read(page));
    }
  });
});
