import { createHash } from 'node:crypto';
import type { KubeClient, KubeItem } from './kube-client';

export const HASH_LABEL = 'pod-template-hash';

/**
 * What the Deployment controller does, without ReplicaSets between: makes and deletes the pods of a Deployment, and replaces them within
 * `maxSurge` and `maxUnavailable` when its template changes.
 */
export async function reconcileDeployment(kube: KubeClient, deployment: KubeItem, allPods: readonly KubeItem[]): Promise<void> {
  const { replicas, strategy } = deployment.spec;
  const hash = templateHash(deployment);
  const pods = allPods.filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined && metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid),
  );
  const isNew = ({ metadata }: KubeItem): boolean => metadata.labels?.[HASH_LABEL] === hash;
  const current = pods.filter(isNew);
  const old = pods.filter((pod) => !isNew(pod));
  const surge = share(strategy.rollingUpdate?.maxSurge, replicas, Math.ceil);
  const unavailable = share(strategy.rollingUpdate?.maxUnavailable, replicas, Math.floor);

  const missing = Math.min(replicas - current.length, replicas + surge - pods.length);
  for (let made = 0; made < missing; made++) await makePod(kube, deployment, hash);

  let ready = pods.filter(isReady).length;
  for (const pod of [...old].sort((a, b) => Number(isReady(a)) - Number(isReady(b)))) {
    // a pod that is not ready is nobody's loss
    if (isReady(pod) && ready - 1 < replicas - unavailable) break;
    if (isReady(pod)) ready--;
    await kube.delete(pod);
  }
  for (const pod of current.slice(replicas)) await kube.delete(pod);
}

export function templateHash({ spec }: KubeItem): string {
  return createHash('sha256').update(JSON.stringify(spec.template)).digest('hex').slice(0, 10);
}

export function isReady({ status }: KubeItem): boolean {
  return status?.conditions?.some((condition: { type: string; status: string }) => {
    return condition.type === 'Ready' && condition.status === 'True';
  });
}

async function makePod(kube: KubeClient, deployment: KubeItem, hash: string): Promise<void> {
  const { name, namespace, uid } = deployment.metadata;
  const { metadata, spec } = deployment.spec.template;
  await kube.create(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, [HASH_LABEL]: hash },
        generateName: `${name}-${hash}-`,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }],
      },
      // there is no scheduler: one node takes everything
      spec: { ...spec, nodeName: 'loopback' },
    },
    namespace!,
  );
}

/** A number, or a percentage of the replicas. */
function share(value: number | string | undefined, replicas: number, round: (value: number) => number): number {
  if (typeof value === 'string') return round((Number.parseFloat(value) / 100) * replicas);
  return value ?? 1;
}
