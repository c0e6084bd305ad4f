import type { KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { containerPorts, selectedWorkloads, workloads } from './support/workloads';

/** A Service selects pods of the input, and the ports that it sends to are theirs. */
export const serviceTarget: Rule = {
  code: 'AIG102',
  name: 'service-target',
  title: 'A Service selects pods, and its target ports are their container ports',
  severity: 'error',
  check: (index) => index.ofKind('', 'Service').flatMap((service) => check(index, service)),
};

function check(index: ObjectIndex, service: KubeObject): RuleFinding[] {
  const selector = service.at('spec', 'selector');
  if (selector.labels.size === 0 || service.at('spec', 'type').text === 'ExternalName') return [];
  const selected = selectedWorkloads(index, service.namespace, selector.labels);
  if (selected.length === 0) {
    const near = almostSelected(index, service.namespace, selector.labels);
    return near === undefined
      ? []
      : [
          finding(selector, `selects no pods: those of ${near.name} have ${near.key}: ${near.value}`, {
            fix: `select ${near.key}: ${near.value}, or change the label of the pods`,
          }),
        ];
  }
  return service.at('spec', 'ports').items.flatMap((port) => {
    const target = port.at('targetPort');
    const ports = selected.flatMap(({ podSpec }) => containerPorts(podSpec));
    if (target.text !== undefined) {
      if (ports.some(({ name }) => name === target.text)) return [];
      return [
        finding(target, 'is no named port of the pods that the Service selects', {
          allowed: ports.flatMap(({ name }) => name ?? []).join(', ') || 'a name in the ports of a container',
          fix: 'name the container port so, or give its number',
        }),
      ];
    }
    // Container ports are information only: a port that is not declared may well be open. One that is declared is a likely mistake.
    const number = target.number ?? (target.isSet ? undefined : port.at('port').number);
    if (number === undefined || ports.length === 0 || ports.some((known) => known.number === number)) return [];
    return [
      {
        ...finding(target.isSet ? target : port.at('port'), `is no port that the selected pods declare`, {
          allowed: [...new Set(ports.map((known) => known.number))].join(', '),
          fix: 'send to a port of the container, or declare this one',
        }),
        severity: 'warning' as const,
      },
    ];
  });
}

/** The pods that a selector misses by one value only. */
export function almostSelected(
  index: ObjectIndex,
  namespace: string,
  selector: ReadonlyMap<string, string>,
): { readonly name: string; readonly key: string; readonly value: string } | undefined {
  for (const { object, podLabels } of workloads(index)) {
    if (object.namespace !== namespace) continue;
    const wrong = [...selector].filter(([key, value]) => podLabels.get(key) !== value);
    if (wrong.length !== 1) continue;
    const [key, wanted] = wrong[0]!;
    const value = podLabels.get(key);
    if (value === undefined) continue;
    // One label alone says little: only when the values look alike, or the objects have the same name.
    if (selector.size > 1 || value.includes(wanted) || wanted.includes(value)) return { name: object.name, key, value };
  }
  return undefined;
}
