import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, InferencePool, ModelSource, SecretReference, VllmBackend } from '../../src';
import { attachFromEnvironment, gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

const token = SecretReference.fromSecretName('hugging-face', 'token');
const llama = new VllmBackend(chart, 'llama', {
  model: ModelSource.huggingFace('meta-llama/Llama-3.3-70B-Instruct', { token }),
  accelerator: Accelerator.nvidia('H100', { count: 4 }),
  maxModelLengthTokens: 8192,
  replicas: 3,
});
const pool = new InferencePool(chart, 'llama-pool', { backend: llama });

const gateway = new AiGateway(chart, 'gateway', { implementation: gatewayFromEnvironment(), attach: attachFromEnvironment() });
gateway.addModel('llama-3-70b', { pool });

app.synth();
