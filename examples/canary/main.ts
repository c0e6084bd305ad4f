import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, Criticality, InferencePool, ModelSource, Stickiness, VllmBackend } from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

const poolOf = (name: string, model: string, replicas: number): InferencePool => {
  const backend = new VllmBackend(chart, name, {
    model: ModelSource.huggingFace(model),
    accelerator: Accelerator.nvidia('H100', { count: 1 }),
    maxModelLengthTokens: 32_768,
    replicas,
  });
  return new InferencePool(chart, `${name}-pool`, { backend });
};
const stable = poolOf('qwen25', 'Qwen/Qwen2.5-14B-Instruct', 4);
const next = poolOf('qwen3', 'Qwen/Qwen3-14B', 1);

const gateway = new AiGateway(chart, 'gateway', { implementation: gatewayFromEnvironment() });

// A tenth of the sessions of `assistant` goes to the next version and stays there; of requests without a session, a tenth.
gateway.addModel('assistant', {
  targets: [
    { pool: stable, weight: 90 },
    { pool: next, weight: 10 },
  ],
  aliases: ['assistant-latest'],
  stickiness: Stickiness.header('x-session-id'),
});
// Testers ask for the next version by name. They give way when the pool is full, and get the stable one while it is down.
gateway.addModel('assistant-next', { pool: next, criticality: Criticality.SHEDDABLE, fallbackPool: stable });

app.synth();
