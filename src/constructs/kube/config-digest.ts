import { createHash } from 'node:crypto';
import type { ApiObject } from 'cdk8s';

/**
 * Digest of a ConfigMap as it will be written, with what a user patched into it. As an annotation of a pod template it replaces
 * the pods when their configuration changes.
 */
export function configDigest(configMap: ApiObject): string {
  const { data, binaryData } = configMap.toJson();
  return createHash('sha256')
    .update(JSON.stringify([data, binaryData]))
    .digest('hex')
    .slice(0, 32);
}
