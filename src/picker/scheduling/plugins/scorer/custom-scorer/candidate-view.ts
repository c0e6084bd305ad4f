import { inFlightAt, loadOf, outputTokensAt, prefillTokensAt } from '../../../flight-book';
import type { Candidate } from '../../../interface/custom-scorer';
import type { Endpoint } from '../../../interface/endpoint-snapshot';
import type { EndpointTable } from '../../../interface/endpoint-table';
import type { Producer } from '../../../interface/plugins';

/** One slot of the table in the words of a user's scorer. Reads through, so it is made once for an endpoint and not for a request. */
export class CandidateView implements Candidate {
  public constructor(
    public readonly endpoint: Endpoint,
    public readonly table: EndpointTable,
    private readonly slot: number,
    private readonly prefix: Producer | undefined,
  ) {}

  public get name(): string {
    return this.endpoint.name;
  }

  public get hostPort(): string {
    return this.endpoint.hostPort;
  }

  public get labels(): Readonly<Record<string, string>> {
    return this.endpoint.labels;
  }

  public get waiting(): number {
    return this.table.waiting[this.slot]!;
  }

  public get running(): number {
    return this.table.running[this.slot]!;
  }

  public get kvUsageRatio(): number {
    return this.table.kvUsageRatio[this.slot]!;
  }

  public get kvTokens(): number {
    return this.table.kvBlocks[this.slot]! * this.table.blockSizeTokens[this.slot]!;
  }

  public get gpuUsageRatio(): number | undefined {
    return this.table.gpuUpdatedAtMs[this.slot] === 0 ? undefined : this.table.gpuUsageRatio[this.slot]!;
  }

  public get trustRatio(): number {
    return this.table.trustRatio[this.slot]!;
  }

  public get load(): number {
    return loadOf(this.table, this.slot);
  }

  public get inFlight(): number {
    return inFlightAt(this.table, this.slot);
  }

  public get prefillTokens(): number {
    return prefillTokensAt(this.table, this.slot);
  }

  public get outputTokensInFlight(): number {
    return outputTokensAt(this.table, this.slot);
  }

  public get cachedTokens(): number {
    return this.prefix?.cachedTokens?.(this.slot) ?? 0;
  }

  public get decodeMsPerToken(): number {
    return this.table.decodeMsPerToken[this.slot]!;
  }
}
