/** LoRA adapters: which exist, which are loaded on the accelerator, and which the batch uses. */
export class Adapters {
  private readonly paths = new Map<string, string>();
  /** Loaded adapters, least recently used first. */
  private readonly loaded = new Set<string>();

  constructor(readonly maxAdapters: number) {}

  /** vLLM's `POST /v1/load_lora_adapter`: makes an adapter known; it is loaded when first used. */
  register(name: string, path: string): void {
    this.paths.set(name, path);
  }

  /** False when there is no such adapter. */
  unregister(name: string): boolean {
    this.loaded.delete(name);
    return this.paths.delete(name);
  }

  has(name: string): boolean {
    return this.paths.has(name);
  }

  list(): [name: string, path: string][] {
    return [...this.paths];
  }

  /** Whether a batch that uses these adapters has room for this one (vLLM leaves others waiting at `--max-loras` distinct ones). */
  fits(adapter: string, inBatch: ReadonlySet<string>): boolean {
    return inBatch.has(adapter) || inBatch.size < this.maxAdapters;
  }

  /** Marks an adapter as used, evicting the least recently used that the batch does not need. True when it had to be loaded. */
  use(adapter: string, inBatch: ReadonlySet<string>): boolean {
    const wasLoaded = this.loaded.delete(adapter);
    this.loaded.add(adapter);
    if (wasLoaded) return false;
    for (const candidate of this.loaded) {
      if (this.loaded.size <= this.maxAdapters) break;
      if (candidate !== adapter && !inBatch.has(candidate)) this.loaded.delete(candidate);
    }
    return true;
  }
}
