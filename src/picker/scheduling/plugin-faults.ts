import { inspect } from 'node:util';

/** What a user's plugin did that it must not. */
export type FaultKind = 'throw' | 'not-a-number' | 'out-of-range';

/** Told of each fault; must not throw. */
export type FaultListener = (plugin: string, kind: FaultKind, detail: unknown) => void;

/** Counts what users' plugins did wrong, by the plugin's name and the kind of fault. */
export class PluginFaults {
  public readonly counts = new Map<string, Map<FaultKind, number>>();

  /** @param listener @default nobody is told */
  public constructor(private readonly listener?: FaultListener) {}

  public add(plugin: string, kind: FaultKind, detail: unknown): void {
    let kinds = this.counts.get(plugin);
    if (kinds === undefined) this.counts.set(plugin, (kinds = new Map()));
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    this.listener?.(plugin, kind, detail);
  }
}

/** What a user's code threw or gave, in words; whatever it is. */
export function shownFault(detail: unknown): string {
  return detail instanceof Error ? String(detail.message) : inspect(detail, { depth: 0, customInspect: false });
}
