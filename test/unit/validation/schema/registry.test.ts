import { schemaErrors } from '../../../../src/validation/schema/compile';
import { compileRe2 } from '../../../../src/validation/schema/re2';
import { type KindSchema, kubernetesVersions, type Lookup, SchemaRegistry } from '../../../../src/validation/schema/registry';
import type { SchemaNode } from '../../../../src/validation/schema/schema-node';

const found = (lookup: Lookup): KindSchema => {
  if (!('found' in lookup)) throw new Error('not found');
  return lookup.found;
};

// Also the marks of OpenAPI that say nothing of a new object.
const KEYWORDS = new Set([
  ...['type', 'nullable', 'default', 'format', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'multipleOf'],
  ...['exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'required', 'properties'],
  ...['additionalProperties', 'items', 'allOf', 'anyOf', 'oneOf', 'not', 'definition', 'x-kubernetes-int-or-string'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-list-type'],
  ...['x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-validations'],
  ...['x-kubernetes-group-version-kind', 'x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key', 'x-kubernetes-unions'],
]);

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

  it('gives every schema in keywords that are understood, with patterns that can be run', () => {
    const patterns = new Set<string>();
    const unknown = new Set<string>();
    const seen = new Set<SchemaNode>();
    const collect = (node: SchemaNode): void => {
      if (seen.has(node)) return;
      seen.add(node);
      for (const keyword of Object.keys(node)) if (!KEYWORDS.has(keyword)) unknown.add(keyword);
      if (node.pattern !== undefined) patterns.add(node.pattern);
      const { properties = {}, items, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = node;
      const children = [...Object.values(properties), items, additionalProperties, ...allOf, ...anyOf, ...oneOf, not];
      for (const child of children) if (typeof child === 'object') collect(child);
    };
    for (const { schema } of SchemaRegistry.of().all()) collect(schema);
    expect([...unknown]).toEqual([]);
    expect(patterns.size).toBeGreaterThan(90);
    for (const pattern of patterns) expect(compileRe2(pattern)).toBeInstanceOf(RegExp);
  });

  it('is not fooled by what every JavaScript object inherits', () => {
    const schema: SchemaNode = { type: 'object', required: ['constructor'] };
    expect(schemaErrors(schema, {})).toMatchObject([{ keyword: 'required' }]);
  });

  it('gives schemas that compile, also one that refers to itself', () => {
    const crd = found(SchemaRegistry.of().lookUp('apiextensions.k8s.io/v1', 'CustomResourceDefinition'));
    const version = (schema: unknown) => ({ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } });
    const object = (schema: unknown) => ({
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'a.b' } },
      spec: { group: 'b', names: { plural: 'a', kind: 'A' }, scope: 'Cluster', versions: [version(schema)] },
    });
    expect(schemaErrors(crd.schema, object({ properties: { a: { properties: { b: { type: 'string' } } } } }))).toEqual([]);
    expect(schemaErrors(crd.schema, object({ properties: { a: { properties: { b: { type: 7 } } } } }))).toMatchObject([
      { keyword: 'type' },
    ]);
  });
});
