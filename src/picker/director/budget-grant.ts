import type { Outcome } from '../ext-proc/director';
import type { DynamicMetadata } from '../ext-proc/processing-response';
import type { VerifiedClient } from '../identity/identity';
import type { RequestApi } from '../openai/request-api';
import type { BudgetStore, Budgets, TokenDemand } from '../tokens/budgets';
import { standingHeaders } from '../tokens/limit-answers';
import type { Reservation } from '../tokens/reservation';
import type { Grant } from './admission';
import type { GatewayShare } from './gateway-limits';

/** Leave for a request whose client is known and whose limits have room. */
export class BudgetGrant implements Grant {
  public readonly kind = 'grant';
  public reservation: Reservation | undefined;
  /** What limits per pool count for another pool than was thought when it was set aside. */
  private moved: Reservation | undefined;
  /** What the gateway counts itself; undefined for nothing. */
  public gatewayShare: GatewayShare | undefined;

  public constructor(
    private readonly budgets: Budgets,
    private readonly store: BudgetStore,
    public readonly api: RequestApi,
    public readonly demand: TokenDemand,
    public readonly client: VerifiedClient | undefined,
    public readonly removeHeaders: readonly string[] | undefined,
  ) {}

  public get wantsUsage(): boolean {
    return this.reservation !== undefined || this.gatewayShare !== undefined;
  }

  public get setHeaders(): readonly string[] | undefined {
    return this.gatewayShare?.headers;
  }

  public get maxTokens(): number | undefined {
    const { reservation, demand } = this;
    if (reservation === undefined || !demand.isBoundable) return undefined;
    const bound = Math.max(1, Math.floor(reservation.outputBound / demand.choices));
    return bound < (demand.maxTokens < 0 ? Number.POSITIVE_INFINITY : demand.maxTokens) ? bound : undefined;
  }

  public get answerHeaders(): readonly string[] | undefined {
    if (this.reservation === undefined) return undefined;
    const { tokens, requests } = this.reservation.tightest;
    const nowMs = Date.now();
    const ofTokens = tokens && standingHeaders(this.api, tokens, nowMs);
    const ofRequests = requests && standingHeaders(this.api, requests, nowMs);
    return ofTokens && ofRequests ? [...ofTokens, ...ofRequests] : (ofTokens ?? ofRequests);
  }

  public begin(): void {
    if (this.reservation !== undefined) this.budgets.granted(this.reservation);
  }

  public servedBy(pool: string): void {
    const { reservation } = this;
    if (reservation === undefined) return;
    this.moved = this.budgets.movedTo(pool, reservation);
    // it was admitted, so it is asked for nothing any more: there it may leave a debt
    if (this.moved !== undefined) this.store.reserve(this.moved, () => undefined);
  }

  public settle(outcome: Outcome): void {
    const { budgets, demand, client, reservation, moved, store } = this;
    const actual = budgets.settlement(reservation, demand, client?.id, outcome);
    if (reservation === undefined) return;
    if (moved === undefined) {
      store.settle(reservation, actual);
      return;
    }
    const isMoved = reservation.rules.map(({ keySource }) => keySource === 'pool');
    store.settle(
      reservation,
      actual.map((used, i) => (isMoved[i] ? 0 : used)),
    );
    store.settle(
      moved,
      actual.filter((_, i) => isMoved[i]),
    );
  }

  public answerMetadata(outcome: Outcome): DynamicMetadata | undefined {
    return this.gatewayShare?.metadata(this.budgets.tokensOf(this.demand, outcome));
  }

  public release(): void {
    const { reservation, budgets } = this;
    if (reservation === undefined) return;
    reservation.rules.forEach((rule, i) => {
      if (rule.unit === 'tokens') budgets.metrics.settled(rule, reservation.charges[i]!, 0);
    });
    this.giveBack();
  }

  /** Before it was counted as granted. */
  public giveBack(): void {
    const { reservation } = this;
    if (reservation !== undefined) this.store.settle(reservation, new Array<number>(reservation.rules.length).fill(0));
  }
}
