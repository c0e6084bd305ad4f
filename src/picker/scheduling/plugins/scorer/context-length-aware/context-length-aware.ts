import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter, Scorer } from '../../../interface/plugins';
import { promptTokens } from '../../../interface/prompt-tokens';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import { PerEndpoint } from '../../../per-endpoint';
import type { PluginParameters } from '../../../plugin-parameters';

interface TokenRange {
  readonly min: number;
  readonly max: number;
}

const UNLABELED_SCORE = 0.5;

/**
 * `context-length-aware`: prefers endpoints whose label says that they are meant for prompts of this length. For n tokens and a range of
 * width w with headroom h = max − n: inside `0.3 + 0.7 · (0.7 / (1 + w / 10000) + 0.3 · h / w)`, outside by d tokens `0.3 / (1 + d / 1000)`;
 * endpoints without a readable label 0.5. With `enableFiltering` it also removes endpoints whose range the prompt is outside of.
 * Formula: llm-d-router v0.10, `scheduling/scorer/contextlengthaware`. Parameters: `label`, `enableFiltering` false.
 */
export class ContextLengthAware implements Filter, Scorer {
  public static readonly TYPE = 'context-length-aware';
  public readonly usesMetrics = false;
  private readonly ranges: PerEndpoint<TokenRange | undefined>;

  public constructor(
    label: string,
    private readonly filters: boolean,
  ) {
    this.ranges = new PerEndpoint(({ labels }) => (Object.hasOwn(labels, label) ? rangeOf(labels[label]!) : undefined));
  }

  public static fromParameters(parameters: PluginParameters): ContextLengthAware {
    const label = parameters.text('label', 'llm-d.ai/context-length-range');
    const filters = parameters.boolean('enableFiltering', false);
    parameters.done();
    return new ContextLengthAware(label, filters);
  }

  public filter(request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    if (!this.filters) return count;
    const tokens = promptTokens(request);
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const range = this.ranges.of(snapshot, slot);
      if (range === undefined || (tokens >= range.min && tokens <= range.max)) candidates[kept++] = slot;
    }
    return kept;
  }

  public score(
    request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const tokens = promptTokens(request);
    for (let k = 0; k < count; k++) {
      const range = this.ranges.of(snapshot, candidates[k]!);
      totals[k] = totals[k]! + weight * (range === undefined ? UNLABELED_SCORE : scoreOf(range, tokens));
    }
  }
}

function scoreOf({ min, max }: TokenRange, tokens: number): number {
  if (tokens < min) return 0.3 / (1 + (min - tokens) / 1_000);
  if (tokens > max) return 0.3 / (1 + (tokens - max) / 1_000);
  const width = max - min;
  const headroom = width === 0 ? 0 : (max - tokens) / width;
  return 0.3 + 0.7 * (0.7 / (1 + width / 10_000) + 0.3 * headroom);
}

function rangeOf(text: string): TokenRange | undefined {
  const parts = /^(\d{1,15})-(\d{1,15})$/.exec(text.trim());
  if (parts === null) return undefined;
  const [min, max] = [Number(parts[1]), Number(parts[2])];
  return min <= max ? { min, max } : undefined;
}
