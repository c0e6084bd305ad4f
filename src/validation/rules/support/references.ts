import type { Field, KubeObject, ObjectIndex } from '../../object-index';
import { GATEWAY_API, targetRefs } from './routes';
import { workloads } from './workloads';

/** One object named by another. */
export interface Reference {
  readonly from: KubeObject;
  /** Where the name stands. */
  readonly field: Field;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** True where Gateway API asks for a ReferenceGrant when the namespaces differ. */
  readonly needsGrant: boolean;
}

/** Every reference of every object that names an object of a known kind. Optional references are left out. */
export function references(index: ObjectIndex): readonly Reference[] {
  return index.memo(findReferences);
}

function findReferences(index: ObjectIndex): Reference[] {
  const found: Reference[] = [];
  const add = (
    field: Field,
    group: string,
    kind: string,
    options: { namespace?: string | undefined; needsGrant?: boolean } = {},
  ): void => {
    const { text: name, object: from } = field;
    if (name === undefined || name === '') return;
    const namespace = options.namespace ?? from.namespace;
    found.push({ from, field, group, kind, namespace, name, needsGrant: options.needsGrant ?? false });
  };
  const addObjectRef = (ref: Field, defaultKind?: string): void => {
    const kind = ref.at('kind').text ?? defaultKind;
    if (kind !== undefined)
      add(ref.at('name'), ref.at('group').text ?? '', kind, { namespace: ref.at('namespace').text, needsGrant: true });
  };

  for (const route of index.ofKinds(GATEWAY_API, 'HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute'))
    for (const rule of route.at('spec', 'rules').items) {
      for (const ref of rule.at('backendRefs').items) addObjectRef(ref, 'Service');
      for (const filter of rule.at('filters').items) {
        addObjectRef(filter.at('requestMirror', 'backendRef'), 'Service');
        if (filter.at('extensionRef', 'kind').isSet) addObjectRef(filter.at('extensionRef'));
      }
    }
  for (const gateway of index.ofKind(GATEWAY_API, 'Gateway')) {
    for (const listener of gateway.at('spec', 'listeners').items)
      for (const ref of listener.at('tls', 'certificateRefs').items) addObjectRef(ref, 'Secret');
    const parameters = gateway.at('spec', 'infrastructure', 'parametersRef');
    if (parameters.isSet) addObjectRef(parameters);
  }
  for (const policy of index.ofKind('gateway.envoyproxy.io', 'EnvoyExtensionPolicy'))
    for (const extProc of policy.at('spec', 'extProc').items)
      for (const ref of extProc.at('backendRefs').items) addObjectRef(ref, 'Service');
  for (const policy of index.ofKind('gateway.envoyproxy.io', 'SecurityPolicy')) {
    for (const ref of policy.at('spec', 'apiKeyAuth', 'credentialRefs').items) addObjectRef(ref, 'Secret');
    for (const kind of ['http', 'grpc'])
      for (const ref of policy.at('spec', 'extAuth', kind, 'backendRefs').items) addObjectRef(ref, 'Service');
  }
  for (const kind of ['InferenceObjective', 'InferenceModelRewrite', 'InferenceModel'])
    for (const group of ['llm-d.ai', 'inference.networking.x-k8s.io'])
      for (const object of index.ofKind(group, kind)) {
        const ref = object.at('spec', 'poolRef');
        const legacy = kind === 'InferenceModel' ? 'inference.networking.x-k8s.io' : 'inference.networking.k8s.io';
        add(ref.at('name'), ref.at('group').text ?? legacy, ref.at('kind').text ?? 'InferencePool');
      }
  for (const { object, podSpec } of workloads(index)) addPod(podSpec, object, add);
  for (const binding of index.ofKinds('rbac.authorization.k8s.io', 'RoleBinding', 'ClusterRoleBinding')) {
    const ref = binding.at('roleRef');
    const kind = ref.at('kind').text ?? '';
    add(ref.at('name'), 'rbac.authorization.k8s.io', kind, { namespace: kind === 'ClusterRole' ? '' : binding.namespace });
    for (const subject of binding.at('subjects').items)
      if (subject.at('kind').text === 'ServiceAccount')
        add(subject.at('name'), '', 'ServiceAccount', { namespace: subject.at('namespace').text });
  }
  for (const scaler of [...index.ofKind('autoscaling', 'HorizontalPodAutoscaler'), ...index.ofKind('keda.sh', 'ScaledObject')]) {
    const ref = scaler.at('spec', 'scaleTargetRef');
    const apiVersion = ref.at('apiVersion').text ?? 'apps/v1';
    add(ref.at('name'), apiVersion.includes('/') ? apiVersion.split('/')[0]! : '', ref.at('kind').text ?? 'Deployment');
  }
  return found;
}

function addPod(podSpec: Field, object: KubeObject, add: (field: Field, group: string, kind: string) => void): void {
  const unlessOptional = (ref: Field, key: string, kind: string): void => {
    if (ref.at('optional').value !== true) add(ref.at(key), '', kind);
  };
  add(podSpec.at('serviceAccountName'), '', 'ServiceAccount');
  for (const volume of podSpec.at('volumes').items) {
    unlessOptional(volume.at('configMap'), 'name', 'ConfigMap');
    unlessOptional(volume.at('secret'), 'secretName', 'Secret');
    add(volume.at('persistentVolumeClaim', 'claimName'), '', 'PersistentVolumeClaim');
    for (const source of volume.at('projected', 'sources').items) {
      unlessOptional(source.at('configMap'), 'name', 'ConfigMap');
      unlessOptional(source.at('secret'), 'name', 'Secret');
    }
  }
  for (const container of [...podSpec.at('initContainers').items, ...podSpec.at('containers').items]) {
    for (const variable of container.at('env').items) {
      unlessOptional(variable.at('valueFrom', 'configMapKeyRef'), 'name', 'ConfigMap');
      unlessOptional(variable.at('valueFrom', 'secretKeyRef'), 'name', 'Secret');
    }
    for (const from of container.at('envFrom').items) {
      unlessOptional(from.at('configMapRef'), 'name', 'ConfigMap');
      unlessOptional(from.at('secretRef'), 'name', 'Secret');
    }
  }
  if (object.kind === 'StatefulSet') add(object.at('spec', 'serviceName'), '', 'Service');
}

/** What a policy targets, with the kind that its group has. */
export function policyTargets(policy: KubeObject): { readonly field: Field; readonly group: string; readonly kind: string }[] {
  return targetRefs(policy).map((field) => ({
    field,
    group: field.at('group').text ?? '',
    kind: field.at('kind').text ?? '',
  }));
}
