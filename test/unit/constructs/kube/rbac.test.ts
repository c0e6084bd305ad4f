import { App, Chart, Testing } from 'cdk8s';
import { emitAccess } from '../../../../src/constructs/kube/rbac';

const RULES = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];

function made(...namespaces: string[]) {
  const chart = new Chart(new App(), 'chart', { namespace: 'llm' });
  const name = emitAccess(chart, {
    metadata: { name: 'picker', namespace: 'llm' },
    access: namespaces.map((namespace) => ({ namespace, rules: RULES })),
    purpose: 'a test',
  });
  return { name, objects: Testing.synth(chart) };
}

describe('what an account may do in several namespaces', () => {
  const { name, objects } = made('llm', 'engines');

  it('is a Role in each, bound to the account where it lives', () => {
    const places = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(places).toEqual([
      'ServiceAccount llm/picker',
      'Role llm/picker',
      'RoleBinding llm/picker',
      'Role engines/llm-picker',
      'RoleBinding engines/llm-picker',
    ]);
    for (const { kind, subjects } of objects) {
      if (kind === 'RoleBinding') expect(subjects).toEqual([{ kind: 'ServiceAccount', name, namespace: 'llm' }]);
    }
  });

  it('binds each Role that it makes, and no other', () => {
    const named = (kind: string) => objects.filter((object) => object.kind === kind);
    expect(named('RoleBinding').map(({ roleRef, metadata }) => `${metadata.namespace}/${roleRef.name}`)).toEqual(
      named('Role').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
  });

  it('is nothing when there is nothing to do', () => {
    expect(made().objects.map(({ kind }) => kind)).toEqual(['ServiceAccount']);
  });
});
