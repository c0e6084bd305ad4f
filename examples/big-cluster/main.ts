import { App, Chart, Duration } from 'cdk8s';
import {
  Accelerator,
  AiGateway,
  ClientIdentity,
  Criticality,
  InferencePool,
  ModelSource,
  RateLimitKey,
  TokenStore,
  VllmBackend,
} from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

const gateway = new AiGateway(chart, 'gateway', {
  implementation: gatewayFromEnvironment(),
  identity: ClientIdentity.jwt({ issuer: 'https://login.example.com', audiences: ['llm'], tenantClaim: 'org' }),
  tokenStore: TokenStore.redis({ host: 'redis.databases.svc.cluster.local', tls: true }),
  picker: { replicas: 3 },
});

// Eight pools of the same shape, and twenty names: every pool serves two, four of them a third for batch work.
for (let number = 1; number <= 8; number++) {
  const backend = new VllmBackend(chart, `engine-${number}`, {
    model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
    accelerator: Accelerator.nvidia('L40S', { count: 1 }),
    maxModelLengthTokens: 16_384,
    replicas: 4,
  });
  const pool = new InferencePool(chart, `pool-${number}`, { backend });
  gateway.addModel(`team-${number}-chat`, { pool, criticality: Criticality.CRITICAL });
  gateway.addModel(`team-${number}-tools`, { pool });
  if (number <= 4) gateway.addModel(`team-${number}-batch`, { pool, criticality: Criticality.SHEDDABLE });
}
gateway.addTokenRateLimit('per-tenant', { tokens: 5_000_000, window: Duration.hours(1), key: RateLimitKey.tenant() });

app.synth();
