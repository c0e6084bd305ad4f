import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
const PROBE_HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];
const HOOK_HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'sleep'];
const DEFAULT_GRACE_SECONDS = 30;

/** core/v1 validateProbe, validateLifecycle. */
export const probesAndHooks: Rule = {
  code: 'AIG045',
  name: 'probes-and-hooks',
  title: 'Probes and hooks have one handler and sensible times',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    builtInWorkloads(index).flatMap(({ podSpec }) => {
      const grace = podSpec.at('terminationGracePeriodSeconds').number ?? DEFAULT_GRACE_SECONDS;
      return allContainers(podSpec).flatMap((container) => [
        ...PROBES.flatMap((name) => probe(container.at(name), name)),
        ...['postStart', 'preStop'].flatMap((name) => hook(container.at('lifecycle', name), grace)),
      ]);
    }),
};

function probe(field: Field, name: string): RuleFinding[] {
  if (!field.isSet || typeof field.value !== 'object') return [];
  const findings = [...oneHandler(field, PROBE_HANDLERS), ...handlerPort(field)];
  for (const key of ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'failureThreshold', 'successThreshold']) {
    const { number } = field.at(key);
    if (number !== undefined && number < 0)
      findings.push(finding(field.at(key), 'is negative', { fix: 'take a positive number' }));
  }
  const success = field.at('successThreshold');
  if (name !== 'readinessProbe' && success.number !== undefined && success.number > 1) {
    findings.push(
      finding(success, 'is not 1', {
        allowed: `1 for a ${name}`,
        fix: 'remove it',
        mend: { remove: success.path },
      }),
    );
  }
  const grace = field.at('terminationGracePeriodSeconds');
  if (grace.number !== undefined && (name === 'readinessProbe' || grace.number <= 0)) {
    findings.push(
      finding(grace, name === 'readinessProbe' ? 'is not for a readiness probe' : 'is not positive', { fix: 'remove it' }),
    );
  }
  return findings;
}

function hook(field: Field, graceSeconds: number): RuleFinding[] {
  if (!field.isSet || typeof field.value !== 'object') return [];
  const seconds = field.at('sleep', 'seconds');
  const tooLong = seconds.number !== undefined && (seconds.number < 0 || seconds.number > graceSeconds);
  return [
    ...oneHandler(field, HOOK_HANDLERS),
    ...handlerPort(field),
    ...(tooLong
      ? [
          finding(seconds, `is not between 0 and the pod's terminationGracePeriodSeconds`, {
            allowed: `0 to ${graceSeconds}`,
            fix: 'raise terminationGracePeriodSeconds, or sleep shorter',
          }),
        ]
      : []),
  ];
}

function oneHandler(field: Field, handlers: readonly string[]): RuleFinding[] {
  const given = handlers.filter((name) => field.at(name).isSet);
  if (given.length === 1) return [];
  const what = given.length === 0 ? 'has no handler' : `has ${given.length} handlers, ${given.join(' and ')}`;
  return [finding(field, what, { allowed: `exactly one of ${handlers.join(', ')}`, fix: 'keep one' })];
}

function handlerPort(field: Field): RuleFinding[] {
  return ['httpGet', 'tcpSocket', 'grpc'].flatMap((handler) => {
    const port = field.at(handler, 'port');
    if (port.number === undefined || (port.number >= 1 && port.number <= 65_535)) return [];
    return [finding(port, 'is no port', { allowed: '1 to 65535, or the name of a container port', fix: 'correct it' })];
  });
}
