import type { Construct } from 'constructs';
import { refuse } from '../internal/errors';
import type { NamespaceRules, RbacRule } from '../kube/rbac';
import type { PickerInput } from './input';
import type { ResolvedPicker } from './resolved-picker';

const READ = ['get', 'list', 'watch'];
/** The group that llm-d's objects have, and the one that they had in the inference extension up to 1.5. */
const OBJECTIVE_GROUPS = ['llm-d.ai', 'inference.networking.x-k8s.io'];

/**
 * What a picker reads from the API server, by namespace: the least that it works with.
 *
 * @throws AIG445 when a namespace is not known
 */
export function pickerAccess(scope: Construct, picker: ResolvedPicker, input: PickerInput): NamespaceRules[] {
  const byNamespace = new Map<string, RbacRule[]>();
  for (const pool of input.pools) {
    const namespace = pool.namespace ?? input.namespace ?? refuseNamespace(scope);
    const rules = byNamespace.get(namespace) ?? [{ apiGroups: [''], resources: ['pods'], verbs: READ }];
    byNamespace.set(namespace, rules);
    if (!pool.installed) continue;
    const group = pool.generation.poolGroup;
    const known = rules.findIndex((rule) => rule.resources[0] === 'inferencepools' && rule.apiGroups[0] === group);
    const names = known === -1 ? [] : rules[known]!.resourceNames!;
    // a list or watch of one object by its name is allowed by resourceNames (the API server turns `metadata.name=` into a name)
    const rule = { apiGroups: [group], resources: ['inferencepools'], resourceNames: [...names, pool.name], verbs: READ };
    if (known === -1) rules.push(rule);
    else rules[known] = rule;
  }
  const [first] = byNamespace;
  // with a policy, priorities and model names stand in the policy
  if (first !== undefined && input.policy === undefined) {
    first[1].push({ apiGroups: OBJECTIVE_GROUPS, resources: ['inferenceobjectives', 'inferencemodelrewrites'], verbs: READ });
    if (picker.isLlmd && input.electLeader) first[1].push(...leaseRules(input, first[0]));
  }
  return [...byNamespace].map(([namespace, rules]) => ({ namespace, rules }));
}

/** llm-d's lease is named after the pool; of a pool that is only a label selector, its name is not documented. */
function leaseRules(input: PickerInput, namespace: string): RbacRule[] {
  const lease = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  const pool = input.pools[0]!;
  return [
    // a create cannot be limited to a name, because the name is not known when it is authorized
    { ...lease, verbs: ['create'] },
    {
      ...lease,
      ...(pool.installed ? { resourceNames: [`epp-${namespace}-${pool.name}.llm-d.ai`] } : {}),
      verbs: ['get', 'update'],
    },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ];
}

function refuseNamespace(scope: Construct): never {
  return refuse(scope, {
    code: 'AIG445',
    what: "the picker's namespace is not known, and the RoleBinding that lets it read pods must name it",
    fix: "set the namespace of the chart: new Chart(app, 'llm', { namespace: 'ai-inference' })",
  });
}
