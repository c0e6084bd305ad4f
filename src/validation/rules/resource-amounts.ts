import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { quantity } from './support/quantities';
import { allContainers, builtInWorkloads } from './support/workloads';

const STANDARD = /^(cpu|memory|ephemeral-storage|hugepages-.*)$/;

/** core/v1 ValidateContainerResourceRequirements: requests up to limits; devices whole, with a limit, and not overcommitted. */
export const resourceAmounts: Rule = {
  code: 'AIG043',
  name: 'resource-amounts',
  title: 'Requests are at most the limits, and devices such as GPUs have limits',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    builtInWorkloads(index).flatMap(({ podSpec }) =>
      allContainers(podSpec).flatMap((container) => check(container.at('resources'))),
    ),
};

function check(resources: Field): RuleFinding[] {
  const findings: RuleFinding[] = [];
  const limits = resources.at('limits');
  for (const section of [limits, resources.at('requests')]) {
    for (const [key, field] of section.entries) {
      const amount = quantity(field.value);
      if (amount === undefined) continue;
      if (amount < 0) findings.push(finding(field, 'is negative', { fix: 'ask for an amount of 0 or more' }));
      else if (isDevice(key) && !Number.isInteger(amount)) {
        findings.push(finding(field, 'is no whole number', { fix: 'devices are not shared: ask for whole ones' }));
      } else if (!STANDARD.test(key) && !isDevice(key)) {
        findings.push(
          finding(field, 'is no resource', {
            allowed: 'cpu, memory, ephemeral-storage, hugepages-…, or a device as domain/name, such as nvidia.com/gpu',
            fix: 'correct the name of the resource',
          }),
        );
      }
    }
  }
  for (const [key, field] of resources.at('requests').entries) {
    const request = quantity(field.value);
    const limit = quantity(limits.at(key).value);
    if (request === undefined || request < 0) continue;
    if (limit === undefined) {
      if (!isDevice(key) || limits.at(key).isSet) continue;
      findings.push(
        finding(field, 'asks for devices without a limit', {
          fix: `set limits[${key}] to the same number: devices are never overcommitted`,
          mend: { set: limits.at(key).path, value: field.value },
        }),
      );
    } else if (isDevice(key) && request !== limit) {
      findings.push(
        finding(field, `is not the limit (${String(limits.at(key).value)})`, { fix: 'make both the same number for devices' }),
      );
    } else if (request > limit) {
      findings.push(
        finding(field, `is more than the limit (${String(limits.at(key).value)})`, {
          fix: 'lower the request, or raise the limit',
        }),
      );
    }
  }
  return findings;
}

function isDevice(key: string): boolean {
  return key.includes('/') && !key.startsWith('kubernetes.io/') && !key.includes('.kubernetes.io/');
}
