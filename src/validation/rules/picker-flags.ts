import { finding, type Rule, type RuleFinding } from './rule';
import { type Picker, pickers } from './support/pickers';

const REMOVED = [
  'total-queued-requests-metric',
  'total-running-requests-metric',
  'kv-cache-usage-percentage-metric',
  'lora-info-metric',
  'cache-info-metric',
];

/** What a picker is told about its pool is what the pool says of itself. */
export const pickerFlags: Rule = {
  code: 'AIG110',
  name: 'picker-flags',
  title: 'The flags of a picker fit the pool that names it',
  severity: 'error',
  check: (index) => pickers(index).flatMap(check),
};

function check({ pool, flags, container, workload }: Picker): RuleFinding[] {
  if (container === undefined || workload === undefined) return [];
  const findings: RuleFinding[] = [];
  const differs = (flag: string, wanted: string, hint: string): void => {
    const given = flags.get(flag);
    if (given === undefined || given.value === wanted || given.value.includes('$')) return;
    findings.push(
      finding(given.field, `sets --${flag} to ${given.value}, and the pool that names this picker has ${wanted}`, {
        allowed: wanted,
        fix: hint,
      }),
    );
  };
  differs('pool-name', pool.name, 'correct --pool-name, or the endpointPickerRef of the pool');
  if (pool.namespace !== '') differs('pool-namespace', pool.namespace, 'a picker and its pool share a namespace');
  // Pickers before the API's first release knew one group only, and had no flag for it.
  if (flags.has('pool-group')) differs('pool-group', pool.group, 'correct --pool-group');
  const poolName = flags.get('pool-name');
  if (poolName !== undefined && flags.has('endpoint-selector')) {
    findings.push(
      finding(flags.get('endpoint-selector')!.field, 'stands beside --pool-name', {
        fix: 'keep one: the picker refuses to start with both',
      }),
    );
  }
  const isFile = flags.get('config-file');
  if (isFile !== undefined && flags.has('config-text')) {
    findings.push(finding(isFile.field, 'stands beside --config-text', { fix: 'keep one of the two' }));
  }
  for (const name of REMOVED) {
    const given = flags.get(name);
    // The flags work until v1.4 of the Inference Extension's picker; llm-d's refuses them.
    if (given === undefined || !/llm-d/.test(container.at('image').text ?? '')) continue;
    findings.push(
      finding(given.field, `sets --${name}, with which the picker refuses to start`, {
        fix: 'remove it; name the metrics in core-metrics-extractor of the configuration',
        mend: given.field.text?.includes('=') ? { remove: given.field.path } : undefined,
      }),
    );
  }
  return findings;
}
