import { schemaErrors } from '../../../../src/validation/schema/compile';
import { type KindSchema, kubernetesVersions, type Lookup, SchemaRegistry } from '../../../../src/validation/schema/registry';

const found = (lookup: Lookup): KindSchema => {
  if (!('found' in lookup)) throw new Error('not found');
  return lookup.found;
};

describe('the registry of schemas', () => {
  it('knows built-in and custom kinds by version', () => {
    const registry = SchemaRegistry.of();
    expect(found(registry.lookUp('apps/v1', 'Deployment'))).toMatchObject({ isBuiltIn: true, scope: 'Namespaced' });
    expect(found(registry.lookUp('v1', 'Namespace'))).toMatchObject({ isBuiltIn: true, scope: 'Cluster', nameRule: 'dns-label' });
    expect(found(registry.lookUp('gateway.networking.k8s.io/v1', 'GatewayClass'))).toMatchObject({
      isBuiltIn: false,
      scope: 'Cluster',
    });
    expect(found(registry.lookUp('inference.networking.x-k8s.io/v1alpha1', 'InferencePool')).source).toMatch(/v0\.1\.0/);
    expect(found(registry.lookUp('inference.networking.x-k8s.io/v1alpha2', 'InferencePool')).source).toMatch(/v0\.5\.1/);
  });

  it('tells the versions of a kind that it knows in others, without those that are not served', () => {
    expect(SchemaRegistry.of().lookUp('gateway.networking.k8s.io/v1alpha3', 'BackendTLSPolicy')).toEqual({
      servedVersions: ['v1'],
    });
    expect(SchemaRegistry.of().lookUp('apps/v1beta1', 'Deployment')).toEqual({ servedVersions: ['v1'] });
  });

  it('tells kinds that differ in case only', () => {
    expect(SchemaRegistry.of().lookUp('gateway.networking.k8s.io/v1', 'HttpRoute')).toEqual({ similarKinds: ['HTTPRoute'] });
    expect(SchemaRegistry.of().lookUp('example.com/v1', 'HTTPRoute')).toEqual({ similarKinds: [] });
  });

  it('has the experimental fields of HTTPRoute in the experimental channel only', () => {
    const fields = (gatewayApiChannel: 'standard' | 'experimental') => {
      const { schema } = found(SchemaRegistry.of({ gatewayApiChannel }).lookUp('gateway.networking.k8s.io/v1', 'HTTPRoute'));
      return Object.keys(schema.properties!['spec']!.properties!['rules']!.items!.properties!);
    };
    expect(fields('experimental')).toContain('retry');
    expect(fields('standard')).not.toContain('retry');
    expect(
      found(SchemaRegistry.of({ gatewayApiChannel: 'experimental' }).lookUp('gateway.networking.k8s.io/v1', 'Gateway')),
    ).toBeDefined();
  });

  it('refuses a Kubernetes version without schemas, and names those it has', () => {
    expect(kubernetesVersions()).toEqual(['1.34', '1.37']);
    expect(() => SchemaRegistry.of({ kubernetesVersion: '1.20' })).toThrow('no schemas of Kubernetes 1.20; known: 1.34, 1.37');
  });

  it('keeps what it made', () => {
    expect(SchemaRegistry.of({ kubernetesVersion: '1.34' })).toBe(SchemaRegistry.of({ kubernetesVersion: '1.34' }));
  });

  // Every pattern, format and keyword of every schema is known: a schema that this code does not understand throws here, not at a user.
  it.each(['standard', 'experimental'] as const)('compiles every schema of the %s channel', (gatewayApiChannel) => {
    const kinds = SchemaRegistry.of({ gatewayApiChannel }).all();
    const compiled = gatewayApiChannel === 'standard' ? kinds : kinds.filter(({ kind }) => kind === 'HTTPRoute');
    for (const kind of compiled) expect(() => schemaErrors(kind, {})).not.toThrow();
    expect(compiled.length).toBeGreaterThan(1);
  }, 30_000);
});
