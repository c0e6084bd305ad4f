import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, InferencePool, LoraAdapter, ModelSource, Scorer, Scoring, VllmBackend } from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

// One base model, two adapters beside it. Clients name an adapter like a model.
const backend = new VllmBackend(chart, 'qwen', {
  model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
  accelerator: Accelerator.nvidia('L40S', { count: 1 }),
  maxModelLengthTokens: 16_384,
  replicas: 2,
  adapters: [
    LoraAdapter.huggingFace('qwen-sql', 'example/qwen2.5-7b-sql-lora'),
    LoraAdapter.huggingFace('qwen-legal', 'example/qwen2.5-7b-legal-lora'),
  ],
  maxLoras: 2,
});
const pool = new InferencePool(chart, 'qwen-pool', { backend });

// Requests for an adapter go where it is loaded already, unless that replica is much busier.
const scoring = Scoring.llmdDefault().with(Scorer.loraAffinity({ weight: 2 }));
const gateway = new AiGateway(chart, 'gateway', { implementation: gatewayFromEnvironment(), picker: { scoring } });
gateway.addModel('qwen-7b', { pool, adapters: ['qwen-sql', 'qwen-legal'] });

app.synth();
