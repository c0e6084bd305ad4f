import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';
import { isPortName } from './unique-names';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];

/** core/v1 validation: the OpenAPI schema knows that a port is an integer, not which. */
export const portNumbers: Rule = {
  code: 'AIG042',
  name: 'port-numbers',
  title: 'Ports are between 1 and 65535, and no two of a Service are the same',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...builtInWorkloads(index).flatMap(({ podSpec }) =>
      allContainers(podSpec).flatMap((container) =>
        container
          .at('ports')
          .items.flatMap((port) => [
            ...number(port.at('containerPort')),
            ...number(port.at('hostPort'), 0),
            ...protocol(port.at('protocol')),
          ]),
      ),
    ),
    ...index.ofKind('', 'Service').flatMap((service) => servicePorts(service.at('spec', 'ports').items)),
  ],
};

function number(field: Field, from = 1): RuleFinding[] {
  const { number: value } = field;
  if (value === undefined || (value >= from && value <= 65_535)) return [];
  return [finding(field, 'is no port', { allowed: `${from} to 65535`, fix: 'take a number in that range' })];
}

function protocol(field: Field): RuleFinding[] {
  if ((field.text ?? '') === '' || PROTOCOLS.includes(field.text!)) return [];
  return [finding(field, 'is no protocol of a port', { allowed: PROTOCOLS.join(', '), fix: 'take one of these' })];
}

function servicePorts(ports: readonly Field[]): RuleFinding[] {
  const seen = new Set<string>();
  return ports.flatMap((port) => {
    const target = port.at('targetPort');
    const findings = [...number(port.at('port')), ...number(port.at('nodePort'), 0), ...protocol(port.at('protocol'))];
    // Empty text and 0 are read as the default, the port itself.
    if ((target.text ?? '') !== '' && !isPortName(target.text!)) {
      findings.push(
        finding(target, 'is neither a port nor the name of one', {
          allowed: "1 to 65535, or at most 15 lower case letters, digits and single '-'",
          fix: 'write the number without quotes, or the name of a container port',
        }),
      );
    } else findings.push(...number(target, 0));
    const key = `${port.at('protocol').text ?? 'TCP'}/${port.at('port').number}`;
    if (port.at('port').number !== undefined && seen.has(key)) {
      findings.push(finding(port, `is ${key} for the second time`, { fix: 'remove one, or take another port' }));
    }
    seen.add(key);
    return findings;
  });
}
