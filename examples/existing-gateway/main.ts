import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, InferencePool, ModelSource, VllmBackend } from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();

// The engines live in a namespace of their own, the routes in another, and the Gateway is somebody else's in a third.
const serving = new Chart(app, 'serving', { namespace: 'ml-serving' });
const backend = new VllmBackend(serving, 'qwen3', {
  model: ModelSource.huggingFace('Qwen/Qwen3-8B'),
  accelerator: Accelerator.nvidia('L40S', { count: 1 }),
  replicas: 2,
});
const pool = new InferencePool(serving, 'qwen3-pool', { backend });

const routing = new Chart(app, 'routing', { namespace: 'team-chat' });
const gateway = AiGateway.fromGatewayName(routing, 'chat', {
  implementation: gatewayFromEnvironment(),
  gatewayName: 'company-gateway',
  gatewayNamespace: 'gateway-system',
  listenerNames: ['https'],
  hostnames: ['llm.example.com'],
});
gateway.addModel('qwen3-8b', { pool });
gateway.addRoute('playground', { pathPrefix: '/', serviceName: 'playground', servicePort: 80 });

app.synth();
