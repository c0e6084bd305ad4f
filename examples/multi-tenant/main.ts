import { App, Chart, Duration } from 'cdk8s';
import {
  Accelerator,
  AiGateway,
  CalendarWindow,
  ClientIdentity,
  InferencePool,
  LoraAdapter,
  ModelSource,
  RateLimitKey,
  SecretReference,
  StoreFailure,
  TokenStore,
  VllmBackend,
} from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

const engine = new VllmBackend(chart, 'qwen', {
  model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
  accelerator: Accelerator.nvidia('L40S', { count: 1 }),
  maxModelLengthTokens: 16_384,
  adapters: [LoraAdapter.huggingFace('support', 'example/qwen2.5-7b-support-lora')],
  replicas: 4,
});
const tokenStore = TokenStore.redis({
  host: 'redis.databases.svc.cluster.local',
  tls: true,
  username: 'ai-gateway',
  password: SecretReference.fromSecretName('redis', 'password'),
});

// People come with the tokens of the company's login. A department shares a budget for the month, and nobody can spend all of it in a minute.
const people = new AiGateway(chart, 'people', {
  implementation: gatewayFromEnvironment(),
  identity: ClientIdentity.jwt({ issuer: 'https://login.example.com', audiences: ['llm'], tenantClaim: 'department' }),
  modelAccess: { tenants: { support: ['qwen', 'support'] }, others: ['qwen'] },
  tokenStore,
});
people.addModel('qwen', { pool: new InferencePool(chart, 'people-pool', { backend: engine }), adapters: ['support'] });
people.addTokenRateLimit('department', {
  tokens: 50_000_000,
  calendarWindow: CalendarWindow.month({ timeZone: 'Europe/Berlin' }),
  key: RateLimitKey.tenant(),
});
people.addTokenRateLimit('person', {
  tokens: 200_000,
  window: Duration.minutes(1),
  key: RateLimitKey.client(),
  outputWeight: 4,
  cachedWeight: 0.1,
  clampAnswers: true,
});

// Services come with API keys, one Secret entry each. While Redis is away they go on, each picker with its share.
const services = new AiGateway(chart, 'services', {
  implementation: gatewayFromEnvironment(),
  identity: ClientIdentity.apiKeys({ name: 'service-keys' }),
  modelAccess: { clients: { 'ticket-bot': ['support'] }, others: ['qwen-batch'] },
  tokenStore,
});
services.addModel('qwen-batch', {
  pool: new InferencePool(chart, 'services-pool', { backend: engine }),
  adapters: ['support'],
});
const key = RateLimitKey.client();
const onStoreFailure = StoreFailure.LOCAL;
services.addTokenRateLimit('budget', { tokens: 10_000_000, window: Duration.hours(1), key, onStoreFailure });
services.addRequestRateLimit('rate', { requests: 1_200, window: Duration.minutes(1), key, onStoreFailure });
services.addConcurrencyLimit('at-once', { requests: 32, key, onStoreFailure });

app.synth();
