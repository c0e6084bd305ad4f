/** What the health service answers from. */
export class HealthState {
  private isSynced = false;
  private isDraining = false;

  /** The endpoints are known (there may be none of them). */
  public synced(): void {
    this.isSynced = true;
  }

  /** The program is about to end. */
  public draining(): void {
    this.isDraining = true;
  }

  public get ready(): boolean {
    return this.isSynced && !this.isDraining;
  }
}
