import { Chart, Duration, Testing } from 'cdk8s';
import {
  Accelerator,
  AiGateway,
  ClientIdentity,
  Criticality,
  GatewayImplementation,
  InferencePool,
  ModelSource,
  RateLimitKey,
  StoreFailure,
  TokenStore,
  VllmBackend,
} from '../../../src';
import { Cluster, type ClusterPrograms } from '../../support/cluster/cluster';
import type { KubeItem } from '../../support/cluster/kube-client';
import { KEY, secret } from './guide';
import type { LoadRequest } from './load';

export const NAMESPACE = 'ai';
export const PROXY = 'gateway-proxy';
/** Critical, three engines. */
export const CHAT = 'chat';
/** Sheddable, two engines. */
export const BATCH = 'batch';

/** Two models behind two proxies with their pickers, which count budgets together. @param redisPort of the shared store */
export function twoModels(redisPort: number): readonly KubeItem[] {
  const chart = new Chart(Testing.app(), 'llm', { namespace: NAMESPACE });
  const pool = (name: string, replicas: number): InferencePool => {
    const backend = new VllmBackend(chart, name, {
      model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
      accelerator: Accelerator.nvidia('L40S', { count: 1 }),
      maxModelLengthTokens: 8_192,
      servedModelNames: [name],
      replicas,
    });
    return new InferencePool(chart, `${name}-pool`, { backend });
  };
  const gateway = new AiGateway(chart, 'gateway', {
    implementation: GatewayImplementation.kong(),
    identity: ClientIdentity.apiKeys({ name: 'client-keys' }),
    tokenStore: TokenStore.redis({ host: '127.0.0.1', port: redisPort }),
    picker: { replicas: 2 },
  });
  gateway.addModel(CHAT, { pool: pool(CHAT, 3), criticality: Criticality.CRITICAL });
  gateway.addModel(BATCH, { pool: pool(BATCH, 2), criticality: Criticality.SHEDDABLE });
  gateway.addTokenRateLimit('per-client', {
    tokens: 50_000_000,
    window: Duration.minutes(1),
    key: RateLimitKey.client(),
    onStoreFailure: StoreFailure.LOCAL,
  });
  return Testing.synth(chart);
}

/** It applied and running, engines at the speed of real ones. */
export function startTwoModels(programs: ClusterPrograms, redisPort: number): Promise<Cluster> {
  const crds = ['gateway-api', 'inference-extension', 'kong'];
  const namespace: KubeItem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  const keys = secret(NAMESPACE, 'client-keys', { 'team-a': KEY });
  return Cluster.running(programs, { namespace: NAMESPACE, crds, engineSpeed: 1 }, [namespace, keys, ...twoModels(redisPort)]);
}

/** Two critical requests for each that may be shed; half of them streams. */
export function twoModelsRequest(index: number): LoadRequest {
  const model = index % 3 === 2 ? BATCH : CHAT;
  const headers = { authorization: `Bearer ${KEY}` };
  return { model, stream: index % 2 === 0, prompt: `request ${index}: ${'some words '.repeat(20)}`, maxTokens: 100, headers };
}
