import { Cluster, type ClusterPrograms } from '../../support/cluster/cluster';
import type { KubeItem } from '../../support/cluster/kube-client';
import { synthExample } from '../../support/examples';
import type { LoadRequest } from './load';

export const NAMESPACE = 'ai-inference';
/** Of the client `team-a`. */
export const KEY = 'sk-team-a-not-a-secret';

/** What a cluster has beside the example. */
const SURROUNDINGS: readonly KubeItem[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gateway-system' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  secret(NAMESPACE, 'client-keys', { 'team-a': KEY }),
  secret(NAMESPACE, 'hugging-face', { token: 'hf-not-a-secret' }),
];

/** The guide's example in sidecar mode, applied and running. */
export function startGuide(programs: ClusterPrograms): Promise<Cluster> {
  const crds = ['gateway-api', 'inference-extension', 'kong', 'envoy-gateway', 'istio'];
  const { objects } = synthExample('guide', { GATEWAY: 'kong' });
  return Cluster.running(programs, { namespace: NAMESPACE, crds }, [...SURROUNDINGS, ...(objects as readonly KubeItem[])]);
}

/** Both models, whole and streamed. */
export function guideRequest(index: number): LoadRequest {
  const model = index % 2 === 0 ? 'llama-3-70b' : 'mistral-7b-instruct';
  const headers = { authorization: `Bearer ${KEY}` };
  return { model, stream: index % 4 < 2, prompt: `request ${index}`, maxTokens: 16, headers };
}

export function secret(namespace: string, name: string, values: Readonly<Record<string, string>>): KubeItem {
  const data = Object.fromEntries(Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
}
