import type { EnvVar } from '../kube/pod-template';
import { CACHE_PATH } from '../values/model-source';
import type { VllmBackendProps } from '../vllm-backend-props';

/**
 * Environment of the engine. Its home is the cache volume, so that whatever the libraries keep below `~/.cache` (Hugging Face,
 * vLLM, Triton, FlashInfer, XDG) is writable for any user id; the user has a name, so that PyTorch need not find one in /etc/passwd.
 */
export function engineEnvironment(props: VllmBackendProps): EnvVar[] {
  const fixed: EnvVar[] = [
    { name: 'HOME', value: CACHE_PATH },
    { name: 'USER', value: 'vllm' },
    { name: 'LOGNAME', value: 'vllm' },
    { name: 'HF_HOME', value: `${CACHE_PATH}/huggingface` },
    { name: 'VLLM_CACHE_ROOT', value: `${CACHE_PATH}/vllm` },
    { name: 'XDG_CACHE_HOME', value: `${CACHE_PATH}/xdg` },
    { name: 'TRITON_CACHE_DIR', value: `${CACHE_PATH}/triton` },
    // vllm/usage/usage_lib.py honours these two and no VLLM_USAGE_STATS
    { name: 'VLLM_NO_USAGE_STATS', value: '1' },
    { name: 'DO_NOT_TRACK', value: '1' },
    { name: 'HF_HUB_DISABLE_TELEMETRY', value: '1' },
    ...props.model._bound.env,
  ];
  if (props.apiKey !== undefined) {
    fixed.push({ name: 'VLLM_API_KEY', valueFrom: { secretKeyRef: { name: props.apiKey.secretName, key: props.apiKey.key } } });
  }
  const own = new Map<string, EnvVar>(fixed.map((variable) => [variable.name, variable]));
  for (const [name, value] of Object.entries(props.env ?? {})) own.set(name, { name, value });
  for (const [name, secret] of Object.entries(props.envSecrets ?? {})) {
    own.set(name, { name, valueFrom: { secretKeyRef: { name: secret.secretName, key: secret.key } } });
  }
  return [...own.values()];
}
