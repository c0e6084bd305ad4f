import type { Field, KubeObject, ObjectIndex } from '../object-index';
import { finding, named, type Rule, type RuleFinding } from './rule';
import { references } from './support/references';

/** The port of a reference to a Service is a port of that Service. */
export const backendPort: Rule = {
  code: 'AIG101',
  name: 'backend-port',
  title: 'The port of a reference is a port of its Service',
  severity: 'error',
  check: (index) =>
    references(index).flatMap(({ field, group, kind, namespace, name }) => {
      if (group !== '' || kind !== 'Service') return [];
      const service = index.find('', 'Service', namespace, name);
      const port = new RefPort(field).port;
      return service === undefined || port.number === undefined ? [] : check(index, service, port);
    }),
};

/** `port` beside `name`. */
class RefPort {
  public readonly port: Field;
  public constructor(name: Field) {
    this.port = name.object.at(...name.path.slice(0, -1), 'port');
  }
}

function check(_index: ObjectIndex, service: KubeObject, port: Field): RuleFinding[] {
  const ports = service.at('spec', 'ports').items.flatMap((entry) => entry.at('port').number ?? []);
  if (ports.length === 0 || ports.includes(port.number!)) return [];
  const target = service
    .at('spec', 'ports')
    .items.find((entry) => entry.at('targetPort').number === port.number)
    ?.at('port').number;
  return [
    finding(port, `is no port of ${named('Service', service.namespace, service.name)}`, {
      allowed: ports.join(', '),
      fix: target === undefined ? 'take a port of the Service' : `take ${target}: ${port.number} is where the Service sends it`,
      ...(ports.length === 1 ? { mend: { set: port.path, value: ports[0] } } : {}),
    }),
  ];
}
