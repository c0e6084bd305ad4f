import { nearest } from '../nearest';
import type { ObjectIndex } from '../object-index';
import { finding, named, type Profile, type Rule, type RuleFinding } from './rule';
import { type Reference, references } from './support/references';
import { POOL_GROUPS } from './support/routes';

// What a cluster has without anybody's doing.
const GIVEN: ReadonlyMap<string, RegExp> = new Map([
  ['ServiceAccount', /^default$/],
  ['ConfigMap', /^kube-root-ca\.crt$/],
  ['ClusterRole', /^(system:.*|admin|edit|view|cluster-admin)$/],
]);

/**
 * What is named exists. An object that is not in the input may be in the cluster, so that a finding needs a reason: the input is said
 * to be complete, or what was meant is there under another kind or a similar name.
 */
export const referenceExists: Rule = {
  code: 'AIG100',
  name: 'reference-exists',
  title: 'What an object names exists',
  severity: 'error',
  check: (index, profile) => references(index).flatMap((reference) => check(index, profile, reference)),
};

function check(index: ObjectIndex, profile: Profile, reference: Reference): RuleFinding[] {
  const { group, kind, namespace, name, field } = reference;
  if (index.find(group, kind, namespace, name) !== undefined || GIVEN.get(kind)?.test(name)) return [];
  const isUnknownGroup = group !== '' && index.ofKind(group, kind).length === 0;
  const what = `names ${named(kind, namespace, name)}, which`;
  if (kind === 'Service') {
    const pool = POOL_GROUPS.map((poolGroup) => index.find(poolGroup, 'InferencePool', namespace, name)).find(Boolean);
    if (pool !== undefined && field.path.includes('backendRefs')) {
      return [
        finding(field, `${what} is an InferencePool`, {
          fix: `write group: ${pool.group} and kind: InferencePool beside the name, and no port`,
        }),
      ];
    }
  }
  if (kind === 'InferencePool' && index.find('', 'Service', namespace, name) !== undefined) {
    return [finding(field, `${what} is a Service`, { fix: 'leave group and kind out, and give the port' })];
  }
  const others = index.ofKind(group, kind).filter((object) => object.namespace === namespace);
  const names = others.map((object) => object.name);
  if (profile.complete === true && !(isUnknownGroup && !field.path.includes('backendRefs'))) {
    const near = nearest(name, names);
    return [
      finding(field, `${what} is not in the input`, {
        fix: near === undefined ? `add the ${kind}, or correct the name` : `did you mean '${near}'?`,
        ...(names.length === 0 ? {} : { allowed: names.slice(0, 10).join(', ') }),
      }),
    ];
  }
  const near = isPrecise(name, nearest(name, names));
  return near === undefined
    ? []
    : [finding(field, `${what} is not in the input`, { severity: 'warning', fix: `did you mean '${near}'?` })];
}

// Names that differ in a number or a single letter are usually two things, and both exist.
function isPrecise(name: string, near: string | undefined): string | undefined {
  if (near === undefined || name.length < 6) return undefined;
  const sameLetters = (text: string): string =>
    text
      .replace(/[^a-z]/g, '')
      .split('')
      .sort()
      .join('');
  const isSwap = sameLetters(name) === sameLetters(near) && name.replace(/[^0-9]/g, '') === near.replace(/[^0-9]/g, '');
  const isLetterMore = Math.abs(name.length - near.length) === 1 && contains(name, near) && !/\d/.test(difference(name, near));
  return isSwap || isLetterMore ? near : undefined;
}

function contains(a: string, b: string): boolean {
  const [long, short] = a.length > b.length ? [a, b] : [b, a];
  for (let index = 0; index < long.length; index++) if (long.slice(0, index) + long.slice(index + 1) === short) return true;
  return false;
}

function difference(a: string, b: string): string {
  const [long, short] = a.length > b.length ? [a, b] : [b, a];
  for (let index = 0; index < long.length; index++)
    if (long.slice(0, index) + long.slice(index + 1) === short) return long[index]!;
  return '';
}
