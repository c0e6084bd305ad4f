/** Bytes that may be held for a stream, for its connection and for all of them: a chain of three. */
export class BufferBudget {
  private held = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly parent?: BufferBudget,
  ) {}

  get heldBytes(): number {
    return this.held;
  }

  /** Returns false, and takes nothing, when one budget of the chain has no room. */
  take(bytes: number): boolean {
    if (this.held + bytes > this.maxBytes) return false;
    if (this.parent !== undefined && !this.parent.take(bytes)) return false;
    this.held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.held -= bytes;
    this.parent?.give(bytes);
  }
}
