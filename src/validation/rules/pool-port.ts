import { finding, type Rule } from './rule';
import { engines, flagNumber } from './support/engines';
import { poolPorts, poolSelector, pools } from './support/routes';
import { containerPorts, selectedWorkloads } from './support/workloads';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { vllm: 8000, sglang: 30_000, 'trtllm-serve': 8000 };

/** The picker asks pods directly, so the pool's port is the engine's own, not a Service's. */
export const poolPort: Rule = {
  code: 'AIG104',
  name: 'pool-port',
  title: 'The target port of a pool is the port that its engines listen on',
  severity: 'error',
  check: (index) =>
    pools(index).flatMap((pool) => {
      const selected = selectedWorkloads(index, pool.namespace, poolSelector(pool).labels);
      const behind = engines(index).filter(({ workload }) => selected.includes(workload));
      const declared = selected.flatMap(({ podSpec }) => containerPorts(podSpec).map(({ number }) => number));
      const listening = behind.flatMap((engine) => flagNumber(engine, '--port') ?? DEFAULT_PORTS[engine.type] ?? []);
      return poolPorts(pool).flatMap((port) => {
        if (port.number === undefined || declared.includes(port.number) || listening.includes(port.number)) return [];
        // With several ranks per pod each has a port of its own, which the command line does not spell out.
        const known =
          declared.length > 0 ? declared : behind.some(({ flags }) => flags.has('--data-parallel-size')) ? [] : listening;
        if (known.length === 0) return [];
        const only = new Set(known).size === 1 ? known[0] : undefined;
        return [
          finding(port, 'is no port of the pods that the pool selects', {
            allowed: [...new Set(known)].join(', '),
            fix: 'take the port of the container: no Service is between picker and engine',
            ...(only === undefined ? {} : { mend: { set: port.path, value: only } }),
          }),
        ];
      });
    }),
};
