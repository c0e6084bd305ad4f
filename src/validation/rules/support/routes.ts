import type { Field, KubeObject, ObjectIndex } from '../../object-index';
import type { Profile } from '../rule';
import type { Implementation } from './implementation-names';
import { implementationOf } from './implementations';

export const GATEWAY_API = 'gateway.networking.k8s.io';
export const POOL_GROUPS = ['inference.networking.k8s.io', 'inference.networking.x-k8s.io'] as const;

/** One attachment of a route: its parentRef, and the Gateway where it is in the input. */
export interface Attachment {
  readonly parentRef: Field;
  readonly gateway: KubeObject | undefined;
}

/** One entry of `backendRefs`, its defaults filled in. */
export interface BackendRef {
  readonly field: Field;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly weight: number;
}

export function httpRoutes(index: ObjectIndex): readonly KubeObject[] {
  return index.ofKind(GATEWAY_API, 'HTTPRoute');
}

export function attachments(index: ObjectIndex, route: KubeObject): Attachment[] {
  return route
    .at('spec', 'parentRefs')
    .items.filter(
      (ref) => (ref.at('kind').text ?? 'Gateway') === 'Gateway' && (ref.at('group').text ?? GATEWAY_API) === GATEWAY_API,
    )
    .map((parentRef) => ({
      parentRef,
      gateway: index.find(
        GATEWAY_API,
        'Gateway',
        parentRef.at('namespace').text ?? route.namespace,
        parentRef.at('name').text ?? '',
      ),
    }));
}

/** The implementations that serve a route, of those of its Gateways that are known. */
export function implementationsOf(index: ObjectIndex, profile: Profile, route: KubeObject): readonly Implementation[] {
  if (profile.implementation !== undefined) return [profile.implementation];
  const found = attachments(index, route).flatMap(({ gateway }) => {
    const implementation = gateway === undefined ? undefined : implementationOf(index, profile, gateway);
    return implementation === undefined ? [] : [implementation];
  });
  return [...new Set(found)];
}

export function isServedBy(
  index: ObjectIndex,
  profile: Profile,
  route: KubeObject,
  ...names: readonly Implementation[]
): boolean {
  return implementationsOf(index, profile, route).some((name) => names.includes(name));
}

export function backendRefs(rule: Field): BackendRef[] {
  return rule.at('backendRefs').items.map((field) => ({
    field,
    group: field.at('group').text ?? '',
    kind: field.at('kind').text ?? 'Service',
    namespace: field.at('namespace').text ?? rule.object.namespace,
    name: field.at('name').text ?? '',
    port: field.at('port').number,
    weight: field.at('weight').number ?? 1,
  }));
}

export function isPool(reference: { readonly group: string; readonly kind: string }): boolean {
  return reference.kind === 'InferencePool' && (POOL_GROUPS as readonly string[]).includes(reference.group);
}

/** Every InferencePool, of either group. */
export function pools(index: ObjectIndex): readonly KubeObject[] {
  return POOL_GROUPS.flatMap((group) => index.ofKind(group, 'InferencePool'));
}

/** What a pool names, in either generation of the kind. */
export function poolSelector(pool: KubeObject): Field {
  return pool.group === POOL_GROUPS[0] ? pool.at('spec', 'selector', 'matchLabels') : pool.at('spec', 'selector');
}

export function poolPorts(pool: KubeObject): Field[] {
  return pool.group === POOL_GROUPS[0]
    ? pool.at('spec', 'targetPorts').items.map((port) => port.at('number'))
    : [pool.at('spec', 'targetPortNumber')];
}

export function poolPicker(pool: KubeObject): { readonly ref: Field; readonly port: Field } {
  const ref = pool.group === POOL_GROUPS[0] ? pool.at('spec', 'endpointPickerRef') : pool.at('spec', 'extensionRef');
  return { ref, port: pool.group === POOL_GROUPS[0] ? ref.at('port', 'number') : ref.at('portNumber') };
}

/** The rules of a route with their index. */
export function rulesOf(route: KubeObject): Field[] {
  return route.at('spec', 'rules').items;
}

/** Values of `targetRefs` and the older `targetRef` of a policy. */
export function targetRefs(policy: KubeObject): Field[] {
  const single = policy.at('spec', 'targetRef');
  return single.isSet ? [single, ...policy.at('spec', 'targetRefs').items] : policy.at('spec', 'targetRefs').items;
}

/** Policies of a kind that target the route, one of its rules, or one of its Gateways. */
export function policiesFor(index: ObjectIndex, group: string, kind: string, route: KubeObject, rule?: Field): KubeObject[] {
  const gateways = attachments(index, route);
  return index.ofKind(group, kind).filter((policy) =>
    targetRefs(policy).some((ref) => {
      const target = ref.at('kind').text;
      const name = ref.at('name').text;
      const section = ref.at('sectionName').text;
      if (target === route.kind && name === route.name && policy.namespace === route.namespace)
        return section === undefined || rule === undefined || rule.at('name').text === section;
      return (
        target === 'Gateway' &&
        gateways.some(
          ({ parentRef }) =>
            parentRef.at('name').text === name && (parentRef.at('namespace').text ?? route.namespace) === policy.namespace,
        )
      );
    }),
  );
}
