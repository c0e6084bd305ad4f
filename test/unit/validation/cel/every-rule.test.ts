import { isCelError } from '@bufbuild/cel';
import { compileRule, isAboutChange } from '../../../../src/validation/cel/compile';
import { toCelValue } from '../../../../src/validation/cel/values';
import { schemaErrors } from '../../../../src/validation/schema/compile';
import { withDefaults } from '../../../../src/validation/schema/defaults';
import { pinnedSchemas } from '../../../../src/validation/schema/packed';
import type { JsonObject, SchemaNode } from '../../../../src/validation/schema/schema-node';
import { randomFrom, Sampler } from './samples';

/** A value in which every field is there, each of its type, whether they go together or not. */
function full(node: SchemaNode): unknown {
  if (node['x-kubernetes-int-or-string'] === true) return 1;
  if (node.enum !== undefined) return node.enum.at(-1);
  switch (node.type) {
    case 'object':
      if (node.properties !== undefined)
        return Object.fromEntries(Object.entries(node.properties).map(([name, child]) => [name, full(child)]));
      return typeof node.additionalProperties === 'object' ? { 1: full(node.additionalProperties) } : {};
    case 'array':
      return node.items === undefined ? [] : [full(node.items), full(node.items)];
    case 'string':
      return { 'date-time': '2026-01-01T00:00:00Z', duration: '10s', byte: 'YQ==' }[node.format ?? ''] ?? '10s';
    case 'integer':
    case 'number':
      return node.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return undefined;
  }
}

function* rulesWithValues(node: SchemaNode, value: unknown, isRoot: boolean): Generator<{ rule: string; result: unknown }> {
  if (value === undefined) return;
  const self = toCelValue(value, node, { isRoot });
  for (const { rule } of node['x-kubernetes-validations'] ?? []) {
    if (!/\boldSelf\b/.test(rule)) yield { rule, result: compileRule(rule)(self!) };
  }
  for (const [name, child] of Object.entries(node.properties ?? {}))
    yield* rulesWithValues(child, (value as JsonObject)[name], false);
  if (node.items !== undefined) yield* rulesWithValues(node.items, (value as unknown[])[0], false);
  if (typeof node.additionalProperties === 'object')
    yield* rulesWithValues(node.additionalProperties, (value as JsonObject)['1'], false);
}

describe('every rule of every pinned definition', () => {
  const outcomes = pinnedSchemas().crds.flatMap(({ versions }) =>
    versions.flatMap((version) => {
      const schema = version.schema();
      return [...rulesWithValues(schema, { ...(full(schema) as JsonObject), metadata: { name: 'a' } }, true)];
    }),
  );
  const errors = outcomes.flatMap(({ rule, result }) => (isCelError(result) ? [`${result.message}: ${rule}`] : []));

  it('finds its functions and operators for the types of its schema', () => {
    expect(outcomes.length).toBeGreaterThan(3000);
    expect(errors.filter((error) => /overload|unbound|unknown|not found/i.test(error))).toEqual([]);
  });

  it('is decided where values make sense to it', () => {
    const decided = outcomes.filter(({ result }) => typeof result === 'boolean').length;
    expect(decided / outcomes.length).toBeGreaterThan(0.99);
  });

  it('holds for one valid value and is broken by another, but for those that the schema makes impossible to break', () => {
    const missing = nodesWithRules().flatMap(({ node, where, isRoot }) =>
      (node['x-kubernetes-validations'] ?? []).flatMap((rule) => {
        if (isAboutChange(rule)) return []; // cel.test.ts and test/conformance/updates.test.ts
        const found = outcomesOf(rule.rule, node, isRoot);
        return ['holds', 'is broken']
          .filter((outcome) => !found.has(outcome))
          .map((outcome) => `${where}: never ${outcome}: ${rule.rule}`);
      }),
    );
    const unbreakable = UNBREAKABLE.map(([where, , rule]) => `${where}: never is broken: ${rule}`);
    expect(missing.sort()).toEqual(unbreakable.sort());
  }, 240_000);
});

/** Rules that no value can break which the rest of the schema lets through: where, why, the rule. */
const UNBREAKABLE: readonly (readonly [string, string, string])[] = [
  [
    'gateway.networking.k8s.io/v1beta1 HTTPRoute.spec.rules[].matches[].path',
    'the enumeration of the field has these values only',
    "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
  ],
  [
    'gateway.envoyproxy.io/v1alpha1 BackendTrafficPolicy.spec.admissionControl',
    'the field has these bounds',
    '!has(self.minSuccessRate) || (self.minSuccessRate >= 1 && self.minSuccessRate <= 100)',
  ],
  [
    'gateway.envoyproxy.io/v1alpha1 BackendTrafficPolicy.spec.admissionControl',
    'the field has these bounds',
    '!has(self.maxRejectionPercent) || (self.maxRejectionPercent >= 0 && self.maxRejectionPercent <= 100)',
  ],
  [
    'configuration.konghq.com/v1 KongConsumer.spec.controlPlaneRef',
    'the enumeration lacks this value',
    "self.type != 'konnectID'",
  ],
  [
    'configuration.konghq.com/v1 KongConsumer.spec.controlPlaneRef',
    'the field has a default',
    '!has(self.type) ? !has(self.konnectNamespacedRef) : true',
  ],
  [
    'agentgateway.dev/v1alpha1 AgentgatewayPolicy.spec.backend.ai.promptGuard.response[].response',
    'both fields have defaults',
    '[has(self.message),has(self.statusCode)].filter(x,x==true).size() >= 1',
  ],
  [
    'gateway.k8s.aws/v1beta1 ListenerRuleConfiguration.spec',
    'the list has one entry at least',
    '!has(self.actions) || size(self.actions) > 0',
  ],
  [
    'gateway.k8s.aws/v1beta1 ListenerRuleConfiguration.spec',
    'the enumeration of the field has these values only',
    "!has(self.actions) || self.actions.all(a, a.type == 'authenticate-oidc' || a.type == 'authenticate-cognito' || a.type == 'jwt-validation' || a.type == 'fixed-response' || a.type == 'forward' || a.type == 'redirect')",
  ],
];

const MAX_SAMPLES = 4_000;

/** What a rule says of values that the schema of its place lets through: until both are seen, or none comes any more. */
function outcomesOf(rule: string, node: SchemaNode, isRoot: boolean): ReadonlySet<string> {
  const sampler = new Sampler(rule, randomFrom(1));
  const run = compileRule(rule);
  const found = new Set<string>();
  for (let index = 0; index < MAX_SAMPLES && found.size < 2; index++) {
    const value = withDefaults(sampler.sample(node), node);
    const self = value === undefined ? undefined : toCelValue(value, node, { isRoot });
    if (self === undefined) continue;
    const outcome = run(self) === true ? 'holds' : 'is broken';
    if (!found.has(outcome) && schemaErrors(node, value).length === 0) found.add(outcome);
  }
  return found;
}

interface Place {
  readonly where: string;
  readonly node: SchemaNode;
  readonly isRoot: boolean;
}

/** Every place with rules; one of those that are the same in several versions or channels. */
function nodesWithRules(): Place[] {
  const places = new Map<string, Place>();
  const collect = (node: SchemaNode, where: string, isRoot: boolean): void => {
    if (node['x-kubernetes-validations'] !== undefined) places.set(JSON.stringify(node), { where, node, isRoot });
    for (const [name, child] of Object.entries(node.properties ?? {})) collect(child, `${where}.${name}`, false);
    if (node.items !== undefined) collect(node.items, `${where}[]`, false);
    if (typeof node.additionalProperties === 'object') collect(node.additionalProperties, `${where}.*`, false);
  };
  for (const { group, kind, versions } of pinnedSchemas().crds)
    for (const version of versions) collect(version.schema(), `${group}/${version.name} ${kind}`, true);
  return [...places.values()];
}
