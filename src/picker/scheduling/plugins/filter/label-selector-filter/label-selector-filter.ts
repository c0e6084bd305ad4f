import { ConfigCode } from '../../../../../picker-config/codes';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import { PerEndpoint } from '../../../per-endpoint';
import type { PluginParameters } from '../../../plugin-parameters';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

interface Requirement {
  readonly key: string;
  readonly operator: (typeof OPERATORS)[number];
  readonly values: readonly string[];
}

/**
 * `label-selector-filter`: keeps endpoints whose labels match a Kubernetes label selector.
 * As llm-d-router v0.10, `scheduling/filter/bylabel`. Parameters: `matchLabels`, `matchExpressions`, at least one of them, as in
 * `metav1.LabelSelector`.
 */
export class LabelSelectorFilter implements Filter {
  public static readonly TYPE = 'label-selector-filter';
  private readonly matches: PerEndpoint<boolean>;

  public constructor(requirements: readonly Requirement[]) {
    this.matches = new PerEndpoint(({ labels }) => requirements.every((requirement) => isMet(requirement, labels)));
  }

  public static fromParameters(parameters: PluginParameters): LabelSelectorFilter {
    const requirements = [...labelRequirements(parameters), ...expressionRequirements(parameters)];
    if (parameters.value('matchLabels') === undefined && parameters.value('matchExpressions') === undefined) {
      parameters.fault('matchLabels', {
        code: ConfigCode.MISSING_KEY,
        what: `plugin type '${LabelSelectorFilter.TYPE}' has no selector`,
        fix: 'set matchLabels or matchExpressions',
      });
    }
    parameters.done();
    return new LabelSelectorFilter(requirements);
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (this.matches.of(snapshot, slot)) candidates[kept++] = slot;
    }
    return kept;
  }
}

/** `NotIn` is also met where the label is absent, as in Kubernetes. */
function isMet({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

function labelRequirements(parameters: PluginParameters): Requirement[] {
  const given = parameters.value('matchLabels');
  if (given === undefined) return [];
  if (typeof given === 'object' && given !== null && !Array.isArray(given) && Object.values(given).every(isText)) {
    return Object.entries(given).map(([key, value]) => ({ key, operator: 'In', values: [value as string] }));
  }
  parameters.fault('matchLabels', {
    code: ConfigCode.BAD_VALUE,
    what: "parameter 'matchLabels' has a wrong value",
    value: given,
    allowed: 'a mapping of label names to texts',
    fix: 'write each label as name: "value"',
  });
  return [];
}

function expressionRequirements(parameters: PluginParameters): Requirement[] {
  const given = parameters.value('matchExpressions');
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    parameters.fault('matchExpressions', wrongExpression("parameter 'matchExpressions' has a wrong value", given));
    return [];
  }
  return given.flatMap((entry: unknown, i) => {
    const requirement = asRequirement(entry);
    if (requirement === undefined)
      parameters.fault(`matchExpressions[${i}]`, wrongExpression('a selector expression is wrong', entry));
    return requirement ?? [];
  });
}

function asRequirement(entry: unknown): Requirement | undefined {
  if (
    typeof entry !== 'object' ||
    entry === null ||
    Object.keys(entry).some((key) => !['key', 'operator', 'values'].includes(key))
  ) {
    return undefined;
  }
  const { key, operator, values = [] } = entry as { key?: unknown; operator?: unknown; values?: unknown };
  if (!isText(key) || key === '' || !OPERATORS.includes(operator as Requirement['operator'])) return undefined;
  if (!Array.isArray(values) || !values.every(isText)) return undefined;
  const wantsValues = operator === 'In' || operator === 'NotIn';
  if (wantsValues !== values.length > 0) return undefined;
  return { key, operator: operator as Requirement['operator'], values };
}

function wrongExpression(
  what: string,
  value: unknown,
): { code: string; what: string; value: unknown; allowed: string; fix: string } {
  return {
    code: ConfigCode.BAD_VALUE,
    what,
    value,
    allowed: `a list of {key, operator: ${OPERATORS.join('|')}, values}, with values for In and NotIn only`,
    fix: 'correct the expression',
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
