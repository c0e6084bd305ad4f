import { ConfigCode } from '../../../../../picker-config/codes';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { EndpointTable } from '../../../interface/endpoint-table';
import type { Filter } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { type AttributeReader, attributeReader } from '../../endpoint-attributes';

const OPERATORS = ['LessThan', 'LessThanOrEqual', 'GreaterThan', 'GreaterThanOrEqual', 'Equal', 'NotEqual'] as const;

/**
 * `endpoint-attribute-filter`: keeps endpoints of which one number compares as asked with a fixed value. Endpoints without the number pass,
 * unless `onMissing` is `Fail`; with `fallbackOnEmpty` all stay where none would.
 * As llm-d-router v0.10, `scheduling/filter/endpointattribute`. Parameters: `attribute` (see `ENDPOINT_ATTRIBUTES`), `algorithm.type`
 * `threshold`, `algorithm.threshold` `{operator, value}`, `onMissing` `Pass`, `fallbackOnEmpty` false.
 */
export class EndpointAttributeFilter implements Filter {
  public static readonly TYPE = 'endpoint-attribute-filter';

  public constructor(
    private readonly attribute: AttributeReader,
    private readonly compare: (value: number) => boolean,
    private readonly passesMissing: boolean,
    private readonly fallbackOnEmpty: boolean,
  ) {}

  public static fromParameters(parameters: PluginParameters): EndpointAttributeFilter {
    const attribute = attributeReader(parameters, 'attribute');
    const passesMissing = parameters.oneOf('onMissing', ['Pass', 'Fail'], 'Pass') === 'Pass';
    const fallbackOnEmpty = parameters.boolean('fallbackOnEmpty', false);
    const algorithm = parameters.section('algorithm');
    algorithm.oneOf('type', ['threshold'], 'threshold');
    const threshold = algorithm.section('threshold');
    threshold.requiredText('operator');
    const operator = threshold.value('operator') === undefined ? 'LessThan' : threshold.oneOf('operator', OPERATORS, 'LessThan');
    if (threshold.value('value') === undefined) {
      threshold.fault('value', {
        code: ConfigCode.MISSING_KEY,
        what: "plugin type 'endpoint-attribute-filter' has nothing to compare with",
        fix: 'set algorithm.threshold.value',
      });
    }
    const bound = threshold.number('value', 0);
    for (const reader of [threshold, algorithm, parameters]) reader.done();
    return new EndpointAttributeFilter(attribute, comparison(operator, bound), passesMissing, fallbackOnEmpty);
  }

  private fits(table: EndpointTable, slot: number): boolean {
    const value = this.attribute(table, slot);
    return Number.isNaN(value) ? this.passesMissing : this.compare(value);
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { table } = snapshot;
    let fitting = 0;
    for (let k = 0; k < count; k++) if (this.fits(table, candidates[k]!)) fitting++;
    if (fitting === 0 && this.fallbackOnEmpty) return count;
    let kept = 0;
    for (let k = 0; k < count; k++) if (this.fits(table, candidates[k]!)) candidates[kept++] = candidates[k]!;
    return kept;
  }
}

function comparison(operator: (typeof OPERATORS)[number], bound: number): (value: number) => boolean {
  switch (operator) {
    case 'LessThan':
      return (value) => value < bound;
    case 'LessThanOrEqual':
      return (value) => value <= bound;
    case 'GreaterThan':
      return (value) => value > bound;
    case 'GreaterThanOrEqual':
      return (value) => value >= bound;
    case 'Equal':
      return (value) => value === bound;
    case 'NotEqual':
      return (value) => value !== bound;
  }
}
