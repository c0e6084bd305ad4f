import { ApiObject, Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';
import { AiGatewayError, refuse } from './errors';
import { checkAtSynthesis } from './synthesis';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** How the name of a construct's main object is made. */
export interface ResourceNameOptions {
  /** The name that the user gave. @default - made from the construct's path below its chart, joined with dashes, without a hash */
  readonly explicit?: string;
  /** Longest name that still leaves room for what others derive from it. @default 63 */
  readonly maxLength?: number;
  /** What derives longer names, for the message. */
  readonly because?: string;
}

/**
 * A readable name without a hash. Two objects that end up with one name are refused by `checkNames`, which this calls.
 *
 * @throws AIG400 when the name is not a DNS label (RFC 1123), AIG401 when it is too long
 */
export function resourceName(scope: Construct, options: ResourceNameOptions = {}): string {
  checkNames(scope);
  const name = options.explicit ?? nameFromPath(scope);
  const maxLength = options.maxLength ?? 63;
  if (!DNS_LABEL.test(name)) {
    refuse(scope, {
      code: 'AIG400',
      what: options.explicit === undefined ? 'the construct id gives no valid object name' : 'this is no valid object name',
      value: name,
      allowed: 'lower-case letters, digits and dashes, starting and ending with a letter or digit',
      fix: options.explicit === undefined ? 'give the construct another id, or a name' : 'choose another name',
    });
  }
  if (name.length > maxLength) {
    refuse(scope, {
      code: 'AIG401',
      what: `the name has ${name.length} characters`,
      value: name,
      allowed: `at most ${maxLength}${options.because === undefined ? '' : `: ${options.because}`}`,
      fix: options.explicit === undefined ? 'give the construct a shorter id, or a name' : 'choose a shorter name',
    });
  }
  return name;
}

function nameFromPath(scope: Construct): string {
  const chart = Chart.of(scope);
  const ids = scope.node.scopes.slice(chart.node.scopes.length).map((construct) => construct.node.id);
  return ids
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-');
}

/** Refuses two objects of one kind, namespace and name, at synthesis. */
export function checkNames(scope: IConstruct): void {
  const { root } = scope.node;
  checkAtSynthesis(scope, 'unique names', () => duplicateNames(root));
}

function duplicateNames(root: IConstruct): string[] {
  const seen = new Map<string, ApiObject>();
  const errors: string[] = [];
  for (const object of root.node.findAll()) {
    if (!ApiObject.isApiObject(object)) continue;
    const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
    const key = [group, object.kind, object.metadata.namespace ?? '', object.name].join('|');
    const other = seen.get(key);
    if (other === undefined) {
      seen.set(key, object);
      continue;
    }
    errors.push(
      new AiGatewayError({
        code: 'AIG402',
        what: `two constructs make the ${object.kind} '${object.name}' in one namespace: one would overwrite the other`,
        value: other.node.path,
        fix: 'give one of them another id or name',
        where: object.node.path,
      }).message,
    );
  }
  return errors;
}
