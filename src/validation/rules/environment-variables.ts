import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];

/** core/v1 ValidateEnv. */
export const environmentVariables: Rule = {
  code: 'AIG046',
  name: 'environment-variables',
  title: 'A variable has a name and a single source',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    builtInWorkloads(index).flatMap(({ podSpec }) =>
      allContainers(podSpec).flatMap((container) => container.at('env').items.flatMap(checkVariable)),
    ),
};

function checkVariable(variable: Field): RuleFinding[] {
  const findings: RuleFinding[] = [];
  const name = variable.at('name');
  if (name.text !== undefined && !/^[ -<>-~]+$/.test(name.text)) {
    findings.push(
      finding(name, 'is not a name of a variable', {
        allowed: "printable ASCII characters other than '='",
        fix: 'choose another name',
      }),
    );
  }
  const from = variable.at('valueFrom');
  if (!from.isSet || typeof from.value !== 'object') return findings;
  const given = SOURCES.filter((source) => from.at(source).isSet);
  if (given.length !== 1) {
    findings.push(
      finding(from, given.length === 0 ? 'names no source' : `names ${given.length} sources`, {
        allowed: `exactly one of ${SOURCES.join(', ')}`,
        fix: 'keep one',
      }),
    );
  } else if ((variable.at('value').text ?? '') !== '') {
    findings.push(finding(from, 'stands beside a value', { fix: 'remove value or valueFrom: a variable has one source' }));
  }
  return findings;
}
