import { EndpointPicker } from '../../../../src/constructs/endpoint-picker';
import { ApiGeneration } from '../../../../src/constructs/values/api-generation';
import { EMPTY_PICKER_POLICY } from '../../../../src/picker-config/picker-policy';
import { aPicker, aPool, type ManifestObject } from './support';

/** `group/resource[name]: verbs` of every rule, spread out. */
const spreadOut = (role: ManifestObject): string[] =>
  role.rules.flatMap((rule: ManifestObject) =>
    rule.apiGroups.flatMap((group: string) =>
      rule.resources.map(
        (resource: string) =>
          `${group}/${resource}${rule.resourceNames ? `[${rule.resourceNames}]` : ''}: ${rule.verbs.join(' ')}`,
      ),
    ),
  );

const READ = 'get list watch';
const PODS = `/pods: ${READ}`;
const POOL = `inference.networking.k8s.io/inferencepools[llama-pool]: ${READ}`;
const OBJECTIVES = ['llm-d.ai', 'inference.networking.x-k8s.io'].flatMap((group) =>
  ['inferenceobjectives', 'inferencemodelrewrites'].map((resource) => `${group}/${resource}: ${READ}`),
);
const LEASES = [
  'coordination.k8s.io/leases: create',
  'coordination.k8s.io/leases[epp-llm-llama-pool.llm-d.ai]: get update',
  '/events: create patch',
];

describe('what a picker may do in the cluster', () => {
  it.each<[string, Parameters<typeof aPicker>[0], string[]]>([
    ['our picker for one pool', {}, [PODS, POOL, ...OBJECTIVES]],
    ['our picker with a policy', { _policy: { policy: () => EMPTY_PICKER_POLICY } }, [PODS, POOL]],
    ['one llm-d picker', EndpointPicker.llmd({ delivery: undefined, replicas: 1 }), [PODS, POOL, ...OBJECTIVES]],
    [
      'two llm-d pickers, which elect a leader',
      EndpointPicker.llmd({ delivery: undefined }),
      [PODS, POOL, ...OBJECTIVES, ...LEASES],
    ],
    [
      'an llm-d picker in a cluster without the pool kind',
      { ...EndpointPicker.llmd({ delivery: undefined, replicas: 1 }), pool: aPool({ installed: false }) },
      [PODS, ...OBJECTIVES],
    ],
    [
      'our picker with a policy for an older pool',
      { _policy: { policy: () => EMPTY_PICKER_POLICY }, pool: aPool({ generation: ApiGeneration.V1ALPHA2 }) },
      [PODS, `inference.networking.x-k8s.io/inferencepools[llama-pool]: ${READ}`],
    ],
  ])('%s: nothing more than this', (_, props, expected) => {
    expect(spreadOut(aPicker(props).only('Role'))).toEqual(expected);
  });

  it('holds in one namespace: there is no ClusterRole', () => {
    const kinds = aPicker(EndpointPicker.llmd({ delivery: undefined }))
      .objects()
      .map(({ kind }) => kind);
    expect(kinds).not.toContain('ClusterRole');
    expect(kinds).not.toContain('ClusterRoleBinding');
  });

  it('is bound to its own account, in its own namespace', () => {
    const { only } = aPicker({ pool: aPool({ namespace: 'engines' }) });
    const binding = only('RoleBinding');
    expect(binding.metadata.namespace).toBe('engines');
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: 'picker', namespace: 'engines' }]);
    expect(binding.roleRef.name).toBe(only('Role').metadata.name);
  });

  it('is needed: without a namespace the binding could not be applied, so it is refused', () => {
    expect(() => aPicker({ pool: aPool({ namespace: undefined }) }, {})).toThrow(
      /^AIG445 .*set the namespace of the chart.*\[chart\/picker\]/s,
    );
  });

  it('is for the picker alone: no container has the token by default, the picker mounts it', () => {
    const { only } = aPicker();
    const { spec } = only('Deployment').spec.template;
    expect(only('ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.containers[0].volumeMounts).toContainEqual({
      name: 'picker-token',
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    });
  });
});
