import type { Problem } from '../../shared/problem';
import { type ClusterError, resourceName, type WatchTarget } from './cluster-watch';

/** Codes of what can be wrong between the picker and the Kubernetes API (docs/errors.md). */
export const ClusterCode = {
  /** No answer, or one that nobody asked for. */
  UNREACHABLE: 'AIG540',
  /** The server does not know who the picker is. */
  UNAUTHENTICATED: 'AIG541',
  /** RBAC does not let the picker read something. */
  FORBIDDEN: 'AIG542',
  /** The CustomResourceDefinition is not installed. */
  NO_SUCH_KIND: 'AIG543',
  NO_SUCH_POOL: 'AIG544',
  /** A pool that selects nothing, or has no port. */
  UNUSABLE_POOL: 'AIG545',
  /** Neither a pod's credentials nor a kubeconfig. */
  NO_CLUSTER: 'AIG546',
} as const;

/** What a failed list or watch means to the people who run the picker. */
export function clusterProblem(target: WatchTarget, error: ClusterError): Problem {
  const what = resourceName(target);
  const where = target.name === undefined ? target.namespace : `${target.namespace}/${target.name}`;
  switch (error.status) {
    case 401:
      return {
        code: ClusterCode.UNAUTHENTICATED,
        what: `the API server does not accept the picker's credentials: ${error.message}`,
        fix: 'check that the ServiceAccount exists and that its token is mounted and not expired',
        where,
      };
    case 403: {
      const named = target.name === undefined ? '' : ` (resourceNames: ${target.name})`;
      return {
        code: ClusterCode.FORBIDDEN,
        what: `the picker may not read ${what} in namespace ${target.namespace}: ${error.message}`,
        fix: `grant get, list and watch on ${what}${named} with a Role and a RoleBinding in namespace ${target.namespace}`,
        where,
      };
    }
    case 404:
      return {
        code: ClusterCode.NO_SUCH_KIND,
        what: `the API server does not know ${what} in version ${target.version}`,
        fix: 'install its CustomResourceDefinition, or name the group that is installed with --pool-group',
        where,
      };
    default:
      return {
        code: ClusterCode.UNREACHABLE,
        what: `${what} cannot be followed: ${error.message}`,
        ...(error.status === 0 ? {} : { value: `HTTP ${error.status}` }),
        fix: 'see that the API server runs and that no NetworkPolicy is between it and the picker',
        where,
      };
  }
}
