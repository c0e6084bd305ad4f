import type { VllmBackendProps } from '../vllm-backend-props';
import type { Parallelism } from './parallelism';

/** Port on which vLLM's data-parallel supervisor answers for all ranks together (`--data-parallel-supervisor-port`). */
export const SUPERVISOR_PORT = 9256;
export const CHAT_TEMPLATE_PATH = '/etc/vllm/chat-template';
export const TLS_PATH = '/etc/vllm/tls';

/** What `vllm serve` is told, beside the properties themselves. */
export interface ArgumentInput {
  readonly props: VllmBackendProps;
  readonly split: Parallelism;
  readonly port: number;
  readonly gpuMemoryUtilizationRatio: number;
  readonly servedModelNames: readonly string[];
}

/**
 * Command line after `vllm serve`. Flags as of vLLM 0.30 (vllm/engine/arg_utils.py, vllm/entrypoints/launchers/cli_args.py). What
 * is left to vLLM's own default is left out, so that it stays readable.
 */
export function engineArguments(input: ArgumentInput): string[] {
  const { props, split } = input;
  const bound = props.model._bound;
  const args: string[] = [bound.argument];
  const add = (flag: string, value: string | number | undefined): void => {
    if (value !== undefined) args.push(`${flag}=${value}`);
  };

  add('--revision', bound.revision);
  args.push('--served-model-name', ...input.servedModelNames);
  add('--port', input.port);
  if (split.tensor > 1) add('--tensor-parallel-size', split.tensor);
  if (split.pipeline > 1) add('--pipeline-parallel-size', split.pipeline);
  if (split.data > 1) {
    add('--data-parallel-size', split.data);
    add('--data-parallel-size-local', split.data);
    add('--data-parallel-supervisor-port', SUPERVISOR_PORT);
    args.push('--data-parallel-multi-port-external-lb');
  }
  add('--max-model-len', props.maxModelLengthTokens);
  add('--gpu-memory-utilization', input.gpuMemoryUtilizationRatio);
  add('--quantization', props.quantization?.argument);
  add('--dtype', props.dtype?.argument);
  add('--kv-cache-dtype', props.kvCacheDtype?.argument);
  if (props.prefixCaching === false) args.push('--no-enable-prefix-caching');
  add('--max-num-seqs', props.maxSequences);
  add('--max-num-batched-tokens', props.maxBatchedTokens);
  // vLLM counts this for one engine, whose tensor-parallel workers share it
  add('--kv-offloading-size', props.kvOffloadGib === undefined ? undefined : props.kvOffloadGib / split.data);
  args.push(...loraArguments(props));
  if (props.chatTemplate !== undefined) add('--chat-template', `${CHAT_TEMPLATE_PATH}/template.jinja`);
  if (props.toolCallParser !== undefined) {
    args.push('--enable-auto-tool-choice');
    add('--tool-call-parser', props.toolCallParser);
  }
  add('--reasoning-parser', props.reasoningParser);
  if (props.trustRemoteCode === true) args.push('--trust-remote-code');
  if (props.tlsSecret !== undefined) {
    add('--ssl-certfile', `${TLS_PATH}/tls.crt`);
    add('--ssl-keyfile', `${TLS_PATH}/tls.key`);
    args.push('--enable-ssl-refresh');
  }
  // probes and scrapes come every few seconds and would drown the log
  add('--disable-access-log-for-endpoints', '/health,/metrics');
  args.push(...(props.extraArgs ?? []));
  return args;
}

function loraArguments(props: VllmBackendProps): string[] {
  const adapters = props.adapters ?? [];
  if (adapters.length === 0) return [];
  return [
    '--enable-lora',
    `--max-loras=${maxLoras(props)}`,
    `--max-lora-rank=${maxLoraRank(props)}`,
    `--max-cpu-loras=${Math.max(adapters.length, maxLoras(props))}`,
    '--lora-modules',
    ...adapters.map((adapter) => `${adapter.name}=${adapter.location}`),
  ];
}

export function maxLoras(props: VllmBackendProps): number {
  return props.maxLoras ?? Math.min(8, Math.max(1, props.adapters?.length ?? 0));
}

export function maxLoraRank(props: VllmBackendProps): number {
  return props.maxLoraRank ?? 16;
}

/** Flags that have a property: given twice, one of the two would win without a word. */
export const TYPED_FLAGS: { readonly [flag: string]: string } = {
  '--model': 'model',
  '--revision': 'ModelSource.huggingFace(id, { revision })',
  '--hf-token': 'ModelSource.huggingFace(id, { token })',
  '--served-model-name': 'servedModelNames',
  '--port': 'port',
  '--tensor-parallel-size': 'tensorParallel',
  '-tp': 'tensorParallel',
  '--pipeline-parallel-size': 'pipelineParallel',
  '-pp': 'pipelineParallel',
  '--data-parallel-size': 'dataParallel',
  '-dp': 'dataParallel',
  '--max-model-len': 'maxModelLengthTokens',
  '--gpu-memory-utilization': 'gpuMemoryUtilizationRatio',
  '--quantization': 'quantization',
  '-q': 'quantization',
  '--dtype': 'dtype',
  '--kv-cache-dtype': 'kvCacheDtype',
  '--enable-prefix-caching': 'prefixCaching',
  '--no-enable-prefix-caching': 'prefixCaching',
  '--max-num-seqs': 'maxSequences',
  '--max-num-batched-tokens': 'maxBatchedTokens',
  '--kv-offloading-size': 'kvOffloadGib',
  '--enable-lora': 'adapters',
  '--lora-modules': 'adapters',
  '--max-loras': 'maxLoras',
  '--max-lora-rank': 'maxLoraRank',
  '--chat-template': 'chatTemplate',
  '--enable-auto-tool-choice': 'toolCallParser',
  '--tool-call-parser': 'toolCallParser',
  '--reasoning-parser': 'reasoningParser',
  '--trust-remote-code': 'trustRemoteCode',
  '--api-key': 'apiKey',
  '--ssl-certfile': 'tlsSecret',
  '--ssl-keyfile': 'tlsSecret',
};
