import { finding, named, type Rule, type RuleFinding } from './rule';
import { type Picker, pickers } from './support/pickers';
import { containerPorts } from './support/workloads';

const DEFAULT_GRPC_PORT = 9002;

/** The picker that a pool names is a Service of its namespace, with that port, in front of the picker's own. */
export const poolPickerRule: Rule = {
  code: 'AIG108',
  name: 'pool-picker',
  title: 'The picker of a pool is a Service with the port that the pool names',
  severity: 'error',
  check: (index, profile) =>
    pickers(index).flatMap((picker) => {
      const { service, ref, pool } = picker;
      if (service !== undefined) return check(picker);
      const elsewhere = index.ofKind('', 'Service').find(({ name }) => name === ref.at('name').text);
      if (elsewhere === undefined && profile.complete !== true) return [];
      if (elsewhere !== undefined && (elsewhere.namespace === '' || pool.namespace === '')) return [];
      const what = elsewhere === undefined ? 'is not in the input' : `is in namespace ${elsewhere.namespace}`;
      return [
        finding(ref.at('name'), `names a picker that ${what}`, {
          fix: `put the Service into namespace ${pool.namespace}: a pool cannot name one elsewhere`,
        }),
      ];
    }),
};

function check({ service, port, container, flags, workload }: Picker): RuleFinding[] {
  const place = named('Service', service!.namespace, service!.name);
  if (service!.at('spec', 'type').text === 'ExternalName') {
    return [finding(port, `is a port of ${place}, an ExternalName`, { fix: 'name a Service that selects pods' })];
  }
  const wanted = port.number ?? DEFAULT_GRPC_PORT;
  const ports = service!.at('spec', 'ports').items;
  const entry = ports.find((candidate) => candidate.at('port').number === wanted);
  if (entry === undefined) {
    const numbers = ports.flatMap((candidate) => candidate.at('port').number ?? []);
    return [
      finding(port, `is no port of ${place}`, {
        allowed: numbers.join(', '),
        fix: 'name the gRPC port of the picker',
        ...(numbers.length === 1 && port.isSet ? { mend: { set: port.path, value: numbers[0] } } : {}),
      }),
    ];
  }
  if (container === undefined || workload === undefined) return [];
  const given = flags.get('grpc-port')?.value;
  const listening = given === undefined ? DEFAULT_GRPC_PORT : Number(given);
  const target = entry.at('targetPort');
  const reached =
    target.text === undefined
      ? (target.number ?? wanted)
      : containerPorts(workload.podSpec).find(({ name }) => name === target.text)?.number;
  if (reached === undefined || !Number.isInteger(listening) || reached === listening) return [];
  return [
    finding(target.isSet ? target : entry.at('port'), `leads to port ${reached}, and the picker listens on ${listening}`, {
      allowed: String(listening),
      fix: 'correct the target port, or --grpc-port',
    }),
  ];
}
