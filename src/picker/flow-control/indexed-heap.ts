/** A value's place in a heap. */
export interface HeapEntry<T> {
  readonly value: T;
  /** Position; -1 when it is in no heap. */
  at: number;
}

/** Binary heap whose entries can be taken out, or moved after a change, from anywhere. */
export class IndexedHeap<T> {
  private readonly entries: HeapEntry<T>[] = [];

  /** @param before whether the first is served earlier; a total order */
  public constructor(private readonly before: (a: T, b: T) => boolean) {}

  public get size(): number {
    return this.entries.length;
  }

  public get first(): T | undefined {
    return this.entries[0]?.value;
  }

  public add(entry: HeapEntry<T>): void {
    entry.at = this.entries.length;
    this.entries.push(entry);
    this.rise(entry);
  }

  public remove(entry: HeapEntry<T>): void {
    const { at } = entry;
    const last = this.entries.pop()!;
    entry.at = -1;
    if (last === entry) return;
    this.put(last, at);
    this.moved(last);
  }

  /** The order of an entry has changed. */
  public moved(entry: HeapEntry<T>): void {
    this.rise(entry);
    this.sink(entry);
  }

  /** What would be served last. Looks at the leaves only. */
  public last(): T | undefined {
    const { entries } = this;
    let latest = entries[entries.length >> 1];
    for (let i = (entries.length >> 1) + 1; i < entries.length; i++) {
      if (this.before(latest!.value, entries[i]!.value)) latest = entries[i];
    }
    return (latest ?? entries[0])?.value;
  }

  public values(): T[] {
    return this.entries.map(({ value }) => value);
  }

  private rise(entry: HeapEntry<T>): void {
    while (entry.at > 0) {
      const { at } = entry;
      const parent = this.entries[(at - 1) >> 1]!;
      if (!this.before(entry.value, parent.value)) return;
      this.put(entry, parent.at);
      this.put(parent, at);
    }
  }

  private sink(entry: HeapEntry<T>): void {
    const { entries } = this;
    for (;;) {
      const { at } = entry;
      let child = entries[2 * at + 1];
      if (child === undefined) return;
      const right = entries[2 * at + 2];
      if (right !== undefined && this.before(right.value, child.value)) child = right;
      if (!this.before(child.value, entry.value)) return;
      this.put(entry, child.at);
      this.put(child, at);
    }
  }

  private put(entry: HeapEntry<T>, at: number): void {
    entry.at = at;
    this.entries[at] = entry;
  }
}
