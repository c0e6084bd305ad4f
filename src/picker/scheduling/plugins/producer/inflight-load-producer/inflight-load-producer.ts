import { outputTokensAt, prefillTokensAt } from '../../../flight-book';
import type { EndpointTable } from '../../../interface/endpoint-table';
import type { Producer } from '../../../interface/plugins';
import type { LearnedSpeed } from '../../../learned-speed';
import type { PluginParameters } from '../../../plugin-parameters';
import type { ApproxPrefixCacheProducer } from '../approx-prefix-cache-producer/approx-prefix-cache-producer';

/**
 * `inflight-load-producer`: tokens of requests under way, by endpoint: what each has to compute of the prompts, until the answer begins, and
 * with `addEstimatedOutputTokens` also the answers, until they end.
 *
 * As llm-d-router v0.10, `dataproducer/inflightload`. The counts themselves are columns of the endpoint table, which the scheduler keeps for
 * every request. Parameters: `addEstimatedOutputTokens` false, `outputRatio` 1.5 (answer per prompt token), `maxEstimatedOutputTokens`,
 * `prefixMatchInfoProducerName`, and `syncCrossReplicaState` true: what other replicas tell (`--peers`) counts too.
 */
export class InflightLoadProducer implements Producer {
  public static readonly TYPE = 'inflight-load-producer';
  public static readonly NOUN = 'producer of in-flight load';

  public constructor(
    private readonly addsOutput: boolean,
    /** Whether those of other replicas count. */
    private readonly syncs: boolean,
    /** Undefined where prompts count in full. */
    public readonly requires: ApproxPrefixCacheProducer | undefined,
  ) {}

  public static standard(): InflightLoadProducer {
    return new InflightLoadProducer(false, true, undefined);
  }

  public static fromParameters(
    parameters: PluginParameters,
    context: { prefixProducer(name: string | undefined): ApproxPrefixCacheProducer; readonly speed: LearnedSpeed },
  ): InflightLoadProducer {
    const addsOutput = parameters.boolean('addEstimatedOutputTokens', false);
    const ratio = parameters.number('outputRatio', 1.5, { min: 0, max: 1_000 });
    const maxTokens = parameters.integer('maxEstimatedOutputTokens', Number.MAX_SAFE_INTEGER, { min: 0 });
    const syncs = parameters.boolean('syncCrossReplicaState', true);
    const producer = context.prefixProducer(parameters.text('prefixMatchInfoProducerName', undefined));
    parameters.done();
    if (addsOutput) context.speed.estimateOutputBy(ratio, maxTokens);
    return new InflightLoadProducer(addsOutput, syncs, producer);
  }

  public prepare(): void {
    // the columns are always up to date
  }

  public picked(): void {
    // the scheduler counts
  }

  /** Tokens under way at an endpoint. */
  public tokensAt(table: EndpointTable, slot: number): number {
    return this.syncs
      ? prefillTokensAt(table, slot) + (this.addsOutput ? outputTokensAt(table, slot) : 0)
      : table.prefillTokens[slot]! + (this.addsOutput ? table.outputTokensInFlight[slot]! : 0);
  }

  /** Tokens of the request at hand that an endpoint has cached. */
  public cachedAt(slot: number): number {
    return this.requires?.cachedTokens(slot) ?? 0;
  }
}
