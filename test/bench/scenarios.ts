import type { LoadOptions } from './load/run-load';

export interface Scenario {
  readonly name: string;
  readonly endpoints: number;
  readonly load: Omit<LoadOptions, 'port' | 'serverPid' | 'seconds' | 'warmupSeconds'>;
}

/** As many distinct prompts as fit a few megabytes: neither all alike, as no client's are, nor all new. */
const sizes = [
  { label: '1 KB', promptBytes: 1024, prompts: 64 },
  { label: '16 KB', promptBytes: 16_384, prompts: 32 },
  { label: '256 KB', promptBytes: 262_144, prompts: 8 },
];
const closedLoop = { connections: 4, streams: 8 };

export function scenarios(endpointCounts: readonly number[]): Scenario[] {
  const list: Scenario[] = [];
  for (const endpoints of endpointCounts) {
    for (const { label, ...prompt } of sizes)
      list.push({ name: `${label}, closed loop`, endpoints, load: { ...closedLoop, ...prompt } });
    for (const ratePerSecond of [300, 1000]) {
      list.push({
        name: `1 KB, ${ratePerSecond}/s`,
        endpoints,
        load: { ...closedLoop, promptBytes: 1024, prompts: 64, ratePerSecond },
      });
    }
    list.push({
      name: '1 KB + 100 chunks',
      endpoints,
      load: { ...closedLoop, promptBytes: 1024, prompts: 64, responseChunks: 100 },
    });
  }
  return list;
}
