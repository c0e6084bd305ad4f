import { DNS_LABEL } from '../names';
import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';

const PORT_NAME = /^(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-))*[a-z0-9]$|^[a-z]$/;

/** core/v1 ValidatePodSpec and ValidateServiceSpec: names inside one pod or Service are unique, and names. */
export const uniqueNames: Rule = {
  code: 'AIG041',
  name: 'unique-names',
  title: 'Containers, volumes and ports have names of their own',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...builtInWorkloads(index).flatMap(({ podSpec }) => [
      ...names(allContainers(podSpec), 'container'),
      ...names(podSpec.at('volumes').items, 'volume'),
      ...allContainers(podSpec).flatMap((container) => containerPorts(container.at('ports').items)),
    ]),
    ...index.ofKind('', 'Service').flatMap((service) => servicePorts(service.at('spec', 'ports').items)),
  ],
};

function names(fields: readonly Field[], what: string): RuleFinding[] {
  const seen = new Map<string, Field>();
  return fields.flatMap((field) => {
    const name = field.at('name');
    if (name.text === undefined) return [];
    if (!DNS_LABEL.test(name.text) || name.text.length > 63) {
      return [
        finding(name, `is not a name of a ${what}`, {
          allowed: "lower case letters, digits and '-', at most 63 characters",
          fix: 'choose another name',
        }),
      ];
    }
    if (seen.has(name.text)) return [finding(name, `is the name of two ${what}s`, { fix: 'rename one of them' })];
    seen.set(name.text, field);
    return [];
  });
}

function containerPorts(ports: readonly Field[]): RuleFinding[] {
  const seen = new Set<string>();
  return ports.flatMap((port) => {
    const name = port.at('name');
    if (name.text === undefined || name.text === '') return [];
    if (!isPortName(name.text)) {
      return [
        finding(name, 'is not a name of a port', {
          allowed: "at most 15 lower case letters, digits and single '-', with at least one letter",
          fix: 'choose another name',
        }),
      ];
    }
    if (seen.has(name.text)) return [finding(name, 'is the name of two ports of the container', { fix: 'rename one of them' })];
    seen.add(name.text);
    return [];
  });
}

export function isPortName(name: string): boolean {
  return name.length <= 15 && PORT_NAME.test(name);
}

function servicePorts(ports: readonly Field[]): RuleFinding[] {
  const seen = new Set<string>();
  return ports.flatMap((port) => {
    const name = port.at('name');
    if (name.text === undefined || name.text === '') {
      return ports.length > 1
        ? [finding(name, 'is missing', { fix: 'name every port of a Service that has several', allowed: 'a DNS label' })]
        : [];
    }
    if (!DNS_LABEL.test(name.text) || name.text.length > 63) {
      return [
        finding(name, 'is not a name of a Service port', {
          allowed: "lower case letters, digits and '-', at most 63 characters",
          fix: 'choose another name',
        }),
      ];
    }
    if (seen.has(name.text)) return [finding(name, 'is the name of two ports of the Service', { fix: 'rename one of them' })];
    seen.add(name.text);
    return [];
  });
}
