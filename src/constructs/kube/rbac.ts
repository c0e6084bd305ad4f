import type { Construct } from 'constructs';
import { emit, type ObjectMetadata } from '../internal/emit';

/** One `rules` entry of a Role. */
export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** @default - every object of the resources */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Rules that hold in one namespace. */
export interface NamespaceRules {
  readonly namespace: string;
  readonly rules: readonly RbacRule[];
}

/** A service account and what it may do. */
export interface AccessOptions {
  /** Metadata of the ServiceAccount, and of the Roles in the same namespace. The namespace must be known: a binding names it. */
  readonly metadata: ObjectMetadata & { readonly namespace: string };
  readonly access: readonly NamespaceRules[];
  /** Who the account is for, in a phrase; for `why`. */
  readonly purpose: string;
}

/** Emits a ServiceAccount, and a Role with its RoleBinding for each namespace. Returns the name of the account. */
export function emitAccess(scope: Construct, options: AccessOptions): string {
  const { metadata, access, purpose } = options;
  emit(scope, 'ServiceAccount', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    why: `the identity of ${purpose}`,
    // the token is mounted into the one container that needs it
    body: { automountServiceAccountToken: false },
  });
  access.forEach(({ namespace, rules }) => {
    const here = namespace === metadata.namespace;
    const suffix = here ? '' : `-${namespace}`;
    const name = here ? metadata.name : roleName(metadata.namespace, metadata.name);
    const place = { ...metadata, namespace, name };
    emit(scope, `Role${suffix}`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: place,
      why: `what ${purpose} may read in namespace ${namespace}`,
      body: { rules },
    });
    emit(scope, `RoleBinding${suffix}`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: place,
      why: `gives the Role to ${purpose}`,
      body: {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: metadata.name, namespace: metadata.namespace }],
      },
    });
  });
  return metadata.name;
}

/** In a foreign namespace the name says where the account lives, because another namespace's account may have the same name. */
function roleName(namespace: string, name: string): string {
  return `${namespace}-${name}`;
}
