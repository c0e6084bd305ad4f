import type { ManifestObject } from '../../unit/constructs/picker/support';
import type { Objects } from './objects';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Creates the account of a picker, its Role and its RoleBinding as they were synthesized, and asks for a token as the kubelet does. */
export async function pickerToken(objects: Objects, manifests: readonly ManifestObject[]): Promise<string> {
  for (const manifest of manifests) {
    if (manifest.kind === 'ServiceAccount') await objects.create('/api/v1', 'serviceaccounts', manifest);
    if (manifest.kind === 'Role') await objects.create(RBAC, 'roles', manifest);
    if (manifest.kind === 'RoleBinding') await objects.create(RBAC, 'rolebindings', manifest);
  }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const answer = await objects.send('POST', `/api/v1/namespaces/${objects.namespace}/serviceaccounts/picker/token`, body);
  return (JSON.parse(answer) as { status: { token: string } }).status.token;
}
