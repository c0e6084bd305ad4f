import { type RandomSource, SeededRandom } from '../../shared/random';
import { findTarget, mismatch } from '../up/embedded-proxy/routing';
import type { PickerPlan } from '../up/plan/picker-plans';
import type { Plan } from '../up/plan/plan';
import type { RouteMatch } from '../up/plan/route-plans';

/** What the gateway does with a request, before a picker is asked. */
export interface GatewayStep {
  /** `sidecar`: one proxy asks one picker about everything. `routes`: the first rule that matches names the pool. */
  readonly kind: 'sidecar' | 'routes';
  /** Rules in the order in which they are tried, up to the one that matched. */
  readonly rules: readonly RuleStep[];
  /** Shares of the matched rule's targets, where there are several. */
  readonly chances: readonly { readonly pool: string; readonly ratio: number }[];
  /** Pool of the target that was drawn; undefined when the picker names it, or no rule matched. */
  readonly pool: string | undefined;
  /** `namespace/name`; undefined when no rule matched. */
  readonly picker: string | undefined;
}

export interface RuleStep {
  readonly match: RouteMatch;
  /** Undefined when it matched. */
  readonly mismatch: string | undefined;
}

/** Finds the picker that is asked, as the gateway does; undefined when no rule matches. @param headers pseudo-headers among them */
export function gatewayStep(
  { front }: Plan,
  headers: readonly (readonly [name: string, value: string])[],
  seed: number,
): { readonly step: GatewayStep; readonly picker: PickerPlan | undefined } {
  if (front.kind === 'sidecar') {
    const { picker } = front;
    return { step: { kind: 'sidecar', rules: [], chances: [], pool: undefined, picker: nameOf(picker) }, picker };
  }
  const list = headers.map(([name, value]): [string, string] => [name, value]);
  const verdicts = front.routes.map(({ match, targets }) => ({ match, mismatch: mismatch(match, list), targets }));
  const first = verdicts.findIndex((verdict) => verdict.mismatch === undefined);
  const tried = first === -1 ? verdicts : verdicts.slice(0, first + 1);
  const random: RandomSource = new SeededRandom(seed);
  const target = findTarget(front.routes, list, random.next());
  const targets = verdicts[first]?.targets ?? [];
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  const step: GatewayStep = {
    kind: 'routes',
    rules: tried.map(({ match, mismatch }) => ({ match, mismatch })),
    chances: targets.length < 2 ? [] : targets.map(({ cluster, weight }) => ({ pool: cluster, ratio: weight / total })),
    pool: target?.cluster,
    picker: target && nameOf(target.picker),
  };
  return { step, picker: target?.picker };
}

function nameOf({ namespace, name }: PickerPlan): string {
  return `${namespace}/${name}`;
}
