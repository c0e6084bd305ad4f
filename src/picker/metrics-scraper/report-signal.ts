import type { EndpointTable } from '../scheduling/interface/endpoint-table';

/** ES2024, in Node since 16; our library of types is older. */
interface AsyncAtomics {
  waitAsync(
    cell: Int32Array,
    index: number,
    value: number,
    timeoutMs: number,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<string> };
}

/** In the thread that scrapes: an endpoint has reported. */
export function signalReport({ reports }: EndpointTable): void {
  Atomics.add(reports, 0, 1);
  Atomics.notify(reports, 0);
}

/** In the main thread: resolves with the next report of any endpoint, or after the timeout, without a message or a timer between them. */
export async function nextReport({ reports }: EndpointTable, timeoutMs: number): Promise<void> {
  const result = (Atomics as unknown as AsyncAtomics).waitAsync(reports, 0, Atomics.load(reports, 0), timeoutMs);
  if (result.async) await result.value;
}
