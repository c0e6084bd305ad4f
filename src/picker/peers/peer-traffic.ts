/** Why a connection was refused or ended. */
export type RefusalReason = 'garbage' | 'version' | 'secret' | 'flood' | 'too-many' | 'self' | 'slow' | 'connection';

/** Counts what goes between replicas, and tells of what went wrong. */
export class PeerTraffic {
  /** Replicas that tell this one. */
  public receiving = 0;
  /** Replicas that this one tells. */
  public sending = 0;
  public sentBytes = 0;
  public receivedBytes = 0;
  public readonly refusals = new Map<RefusalReason, number>();

  /** @param onRefusal told of all but those that are no fault */
  public constructor(private readonly onRefusal: (reason: RefusalReason, detail: string | undefined) => void) {}

  public refuse(reason: RefusalReason, detail: string | undefined): void {
    // a Service lists the replica that asks as well
    if (reason === 'self') return;
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    this.onRefusal(reason, detail);
  }
}
