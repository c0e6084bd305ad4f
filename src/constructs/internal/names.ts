import { createHash } from 'node:crypto';
import { ApiObject, Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';
import { refuse } from './errors';
import { checkAtSynthesis } from './synthesis';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** How `resourceName` makes a name. */
export interface NameOptions {
  /** A name that the user chose. It is taken as it is, without `suffix`, or refused. @default - made from the construct's path */
  readonly explicit?: string;
  /** Longest name in characters. @default 63 */
  readonly maxLength?: number;
  /** Appended with a `-`, for the second object of a construct. @default - none */
  readonly suffix?: string;
}

/**
 * Name of an object of `scope`: the ids from below the chart down to the construct, joined with `-`, without a hash, so that
 * people can read and predict it. Always an RFC 1035 label, which is the strictest rule that Kubernetes has for a name.
 * Two objects that end up with the same name are found when the app is synthesized.
 *
 * @throws AIG436 when the name is no label or too long.
 */
export function resourceName(scope: Construct, options: NameOptions = {}): string {
  checkUniqueNames(scope);
  const maxLength = options.maxLength ?? 63;
  const name = options.explicit ?? withSuffix(pathName(scope), options.suffix);
  if (name.length > maxLength || !DNS_LABEL.test(name)) {
    refuse(scope, {
      code: 'AIG436',
      what: options.explicit === undefined ? 'the name made from the construct path cannot be used' : 'name is not usable',
      value: name,
      allowed: `a lower-case letter, then letters, digits and '-', at most ${maxLength} characters`,
      fix:
        options.explicit === undefined ? 'use other construct ids, or set the name property' : 'choose a shorter or plainer name',
    });
  }
  return name;
}

function pathName(scope: Construct): string {
  const chart = Chart.of(scope);
  const ids = scope.node.scopes.slice(chart.node.scopes.length).map((construct) => construct.node.id);
  const named = ids.filter((id) => id !== 'Resource' && id !== 'Default');
  return (named.length > 0 ? named : [chart.node.id])
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

function withSuffix(name: string, suffix: string | undefined): string {
  return suffix === undefined ? name : `${name}-${suffix}`;
}

/** cdk8s itself writes two objects of the same name without a word. */
export function checkUniqueNames(scope: IConstruct): void {
  const { root } = scope.node;
  checkAtSynthesis(scope, 'unique names', () => duplicateNames(root));
}

function duplicateNames(root: IConstruct): string[] {
  const paths = new Map<string, string>();
  const findings: string[] = [];
  for (const object of root.node.findAll()) {
    if (!ApiObject.isApiObject(object) || object.metadata.name === undefined) continue;
    const namespace = object.metadata.namespace ?? '';
    const identity = `${object.apiGroup}/${object.kind} ${namespace === '' ? '' : `${namespace}/`}${object.metadata.name}`;
    const first = paths.get(identity);
    if (first === undefined) paths.set(identity, object.node.path);
    else {
      findings.push(
        `AIG437 two objects have the same kind and name (got '${identity.replace(/^core\//, '')}'): rename one construct, or set its name [${first}, ${object.node.path}]`,
      );
    }
  }
  return findings;
}

/**
 * `<base>-<suffix>`, with the base cut and a digest in its place when the whole would be longer than `maxLength`: derived names
 * stay unique without a limit on the names that users choose.
 */
export function derivedName(base: string, suffix: string, maxLength: number): string {
  const name = `${base}-${suffix}`;
  if (name.length <= maxLength) return name;
  const digest = createHash('sha256').update(base).digest('hex').slice(0, 6);
  const kept = base.slice(0, maxLength - suffix.length - digest.length - 2).replace(/-+$/, '');
  return `${kept}-${digest}-${suffix}`;
}
