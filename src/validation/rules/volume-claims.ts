import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { quantity } from './support/quantities';

const MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'];

/** core/v1 ValidatePersistentVolumeClaimSpec. */
export const volumeClaims: Rule = {
  code: 'AIG056',
  name: 'volume-claims',
  title: 'A volume claim says how it is accessed and how large it is',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...index.ofKind('', 'PersistentVolumeClaim').flatMap((claim) => check(claim.at('spec'))),
    ...index
      .ofKind('apps', 'StatefulSet')
      .flatMap((set) => set.at('spec', 'volumeClaimTemplates').items.flatMap((claim) => check(claim.at('spec')))),
  ],
};

function check(spec: Field): RuleFinding[] {
  const modes = spec.at('accessModes');
  const storage = spec.at('resources', 'requests', 'storage');
  const findings: RuleFinding[] = [];
  if (modes.items.length === 0)
    findings.push(finding(modes, 'is missing', { allowed: MODES.join(', '), fix: 'say how the volume is used' }));
  for (const mode of modes.items)
    if (mode.text !== undefined && !MODES.includes(mode.text))
      findings.push(finding(mode, 'is no access mode', { allowed: MODES.join(', '), fix: 'take one of these' }));
  if (modes.items.length > 1 && modes.texts.includes('ReadWriteOncePod'))
    findings.push(finding(modes, 'has ReadWriteOncePod beside others', { fix: 'use it alone' }));
  if (!storage.isSet) findings.push(finding(storage, 'is missing', { fix: 'say how large the volume is to be' }));
  else if ((quantity(storage.value) ?? 1) <= 0)
    findings.push(finding(storage, 'is not positive', { fix: 'ask for some storage' }));
  return findings;
}
