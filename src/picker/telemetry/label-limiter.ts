/** What stands for every value beyond the limit. */
export const OTHER = 'other';

/**
 * Bounds the values of a label that clients choose: the first `limit` are kept, further ones become `other`, so that nobody can fill the
 * picker's memory (or the metrics server's) with names.
 */
export class LabelLimiter {
  private readonly seen = new Set<string>();

  public constructor(private readonly limit: number) {}

  public admit(value: string): string {
    if (this.seen.has(value)) return value;
    if (this.seen.size >= this.limit || value.length > MAX_LENGTH) return OTHER;
    this.seen.add(value);
    return value;
  }
}

const MAX_LENGTH = 256;
