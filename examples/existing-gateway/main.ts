import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, InferencePool, ModelSource, VllmBackend } from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();

// The engines live in a namespace of their own, the routes in another, and the Gateway is somebody else's in a third.
const serving = new Chart(app, 'serving', { namespace: 'ml-serving' });
const backend = new VllmBackend(serving, 'gemma', {
  model: ModelSource.huggingFace('google/gemma-2-9b-it'),
  accelerator: Accelerator.nvidia('L40S', { count: 1 }),
  replicas: 2,
});
const pool = new InferencePool(serving, 'gemma-pool', { backend });

const routing = new Chart(app, 'routing', { namespace: 'team-chat' });
const gateway = AiGateway.fromGatewayName(routing, 'chat', {
  implementation: gatewayFromEnvironment(),
  gatewayName: 'company-gateway',
  gatewayNamespace: 'gateway-system',
  listenerNames: ['https'],
  hostnames: ['llm.example.com'],
});
gateway.addModel('gemma-9b', { pool });
gateway.addRoute('playground', { pathPrefix: '/', serviceName: 'playground', servicePort: 80 });

app.synth();
