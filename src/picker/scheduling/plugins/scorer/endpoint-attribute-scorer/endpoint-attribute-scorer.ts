import { ConfigCode } from '../../../../../picker-config/codes';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { type AttributeReader, attributeReader } from '../../endpoint-attributes';

/**
 * `endpoint-attribute-scorer`: one number of each endpoint on a line from 0 to 1, `(x − min) / (max − min)` or 1 minus that. The range is
 * that of the candidates (all equal score 1) or a fixed one; endpoints without the number score 0.
 * Formula: llm-d-router v0.10, `scheduling/scorer/endpointattribute`. Parameters: `attributeKey` (see `ENDPOINT_ATTRIBUTES`),
 * `algorithm.type` `linear_lower_is_better` or `linear_higher_is_better`, `algorithm.normalization` `adaptiveRange` or `fixedRange {min, max}`.
 */
export class EndpointAttributeScorer implements Scorer {
  public static readonly TYPE = 'endpoint-attribute-scorer';
  public readonly usesMetrics = false;

  public constructor(
    private readonly attribute: AttributeReader,
    private readonly higherIsBetter: boolean,
    private readonly fixed: { readonly min: number; readonly max: number } | undefined,
  ) {}

  public static fromParameters(parameters: PluginParameters): EndpointAttributeScorer {
    const attribute = attributeReader(parameters, 'attributeKey');
    const algorithm = parameters.section('algorithm');
    const type = algorithm.oneOf('type', ['linear_lower_is_better', 'linear_higher_is_better'], 'linear_lower_is_better');
    const normalization = algorithm.section('normalization');
    normalization.section('adaptiveRange').done();
    const isFixed = normalization.value('fixedRange') !== undefined;
    const range = normalization.section('fixedRange');
    const fixed = { min: range.number('min', 0), max: range.number('max', 1) };
    if (isFixed && !(fixed.min < fixed.max)) {
      range.fault('max', {
        code: ConfigCode.BAD_VALUE,
        what: 'fixedRange is empty',
        value: `${fixed.min} to ${fixed.max}`,
        allowed: 'min below max',
        fix: 'correct the range',
      });
    }
    for (const reader of [range, normalization, algorithm, parameters]) reader.done();
    return new EndpointAttributeScorer(attribute, type === 'linear_higher_is_better', isFixed ? fixed : undefined);
  }

  public score(
    _request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { attribute, higherIsBetter, fixed } = this;
    const { table } = snapshot;
    let min = fixed?.min ?? Number.POSITIVE_INFINITY;
    let max = fixed?.max ?? Number.NEGATIVE_INFINITY;
    for (let k = 0; fixed === undefined && k < count; k++) {
      const value = attribute(table, candidates[k]!);
      if (value < min) min = value;
      if (value > max) max = value;
    }
    for (let k = 0; k < count; k++) {
      const value = attribute(table, candidates[k]!);
      if (Number.isNaN(value)) continue;
      const share = max > min ? Math.min(1, Math.max(0, (value - min) / (max - min))) : higherIsBetter ? 1 : 0;
      totals[k] = totals[k]! + weight * (higherIsBetter ? share : 1 - share);
    }
  }
}
