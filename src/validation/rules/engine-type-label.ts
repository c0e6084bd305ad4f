import { finding, type Rule } from './rule';
import { engines } from './support/engines';
import { poolSelector, pools } from './support/routes';
import { selectedWorkloads } from './support/workloads';

const LABELS = ['llm-d.ai/engine-type', 'inference.networking.k8s.io/engine-type'];
const VALUES: Readonly<Record<string, string>> = {
  sglang: 'sglang',
  'trtllm-serve': 'trtllm-serve',
  triton: 'triton-tensorrt-llm',
};

/** A picker reads metrics under vLLM's names unless a label of the pod says otherwise: queue and cache then look empty for ever. */
export const engineTypeLabel: Rule = {
  code: 'AIG210',
  name: 'engine-type-label',
  title: 'Pods of engines other than vLLM say which engine they run',
  severity: 'warning',
  check: (index) => {
    const inPools = new Set(pools(index).flatMap((pool) => selectedWorkloads(index, pool.namespace, poolSelector(pool).labels)));
    return engines(index)
      .filter(
        ({ type, workload }) =>
          VALUES[type] !== undefined && inPools.has(workload) && !LABELS.some((label) => workload.podLabels.has(label)),
      )
      .map(({ type, workload }) =>
        finding(
          workload.template.at('metadata', 'labels'),
          `do not have llm-d.ai/engine-type, so that the picker looks for vLLM's metrics`,
          {
            fix: `add llm-d.ai/engine-type: ${VALUES[type]}`,
          },
        ),
      );
  },
};
