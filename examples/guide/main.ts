import { ApiObject, App, Chart, Duration } from 'cdk8s';
import * as aig from '../../src';
import { attachFromEnvironment, gatewayFromEnvironment, generationFromEnvironment } from '../shared';

export const app = new App();
// A Namespace lives in no namespace, and so neither does its chart. It is applied first.
const namespaces = new Chart(app, 'namespaces');
new ApiObject(namespaces, 'ai-inference', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ai-inference' } });
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });
chart.addDependency(namespaces);
const generation = generationFromEnvironment();

// Three replicas of the 70B, four GPUs each. The engines answer to the names of the models below.
const llama = new aig.VllmBackend(chart, 'llama', {
  model: aig.ModelSource.huggingFace('meta-llama/Meta-Llama-3-70B-Instruct', {
    token: aig.SecretReference.fromSecretName('hugging-face', 'token'),
  }),
  accelerator: aig.Accelerator.nvidia('H100', { count: 4 }),
  tensorParallel: 4,
  maxModelLengthTokens: 8192,
  gpuMemoryUtilizationRatio: 0.9,
  replicas: 3,
});
const mistral = new aig.VllmBackend(chart, 'mistral', {
  model: aig.ModelSource.huggingFace('mistralai/Mistral-7B-Instruct-v0.3'),
  accelerator: aig.Accelerator.nvidia('L4', { count: 1 }),
  maxModelLengthTokens: 8192,
});

// The pools select the pods by the label `model`, and choose among them by their GPUs' load.
const pool = (name: string, backend: aig.VllmBackend): aig.InferencePool =>
  new aig.InferencePool(chart, name, { backend, name, generation, selector: { model: name } });
const llamaPool = pool('llama-3-70b', llama);
const mistralPool = pool('mistral-7b', mistral);

// In pool mode the gateway does not read the body: Llama is the default, and the two pickers count budgets together.
const attach = attachFromEnvironment();
const poolMode = { defaultModel: 'llama-3-70b', tokenStore: aig.TokenStore.redis({ host: 'redis.databases.svc.cluster.local' }) };

const gateway = new aig.AiGateway(chart, 'ai-gateway', {
  implementation: gatewayFromEnvironment(),
  attach,
  gatewayNamespace: 'gateway-system',
  listeners: [
    aig.GatewayListener.http({ port: 80 }),
    aig.GatewayListener.https({ port: 443, certificate: aig.ListenerCertificate.secret({ name: 'ai-gateway-cert' }) }),
  ],
  identity: aig.ClientIdentity.apiKeys({ name: 'client-keys' }),
  picker: { scoring: aig.Scoring.gpuAware() },
  classHeader: 'x-model-class',
  // Batch work waits for its turn five seconds, twenty requests at a time; what comes beyond that is told when to come back.
  flowControl: { bands: [{ criticality: aig.Criticality.SHEDDABLE, maxRequests: 20, queueTime: Duration.seconds(5) }] },
  headerClasses: { small: 'mistral-7b-instruct', large: 'llama-3-70b' },
  ...(attach === aig.AttachMode.POOL ? poolMode : {}),
});
gateway.addModel('llama-3-70b', { pool: llamaPool, criticality: aig.Criticality.CRITICAL });
gateway.addModel('llama-3-70b-batch', { pool: llamaPool, criticality: aig.Criticality.SHEDDABLE });
gateway.addModel('mistral-7b-instruct', { pool: mistralPool, criticality: aig.Criticality.STANDARD });
gateway.addTokenRateLimit('per-client', { tokens: 100_000, window: Duration.minutes(1), key: aig.RateLimitKey.client() });

app.synth();
