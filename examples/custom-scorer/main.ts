import { App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, InferencePool, ModelSource, Scorer, Scoring, VllmBackend } from '../../src';
import { gatewayFromEnvironment } from '../shared';

const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });

const backend = new VllmBackend(chart, 'qwen', {
  model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
  accelerator: Accelerator.nvidia('L40S', { count: 1 }),
  maxModelLengthTokens: 16_384,
  replicas: 2,
});
const pool = new InferencePool(chart, 'qwen-pool', { backend });

// The file is checked, bundled and brought to the cluster when this program runs.
const picker = {
  plugins: ['examples/custom-scorer/headroom-scorer.ts'],
  scoring: Scoring.of(
    Scorer.custom('headroom-scorer', { reserveTokens: 2_048 }, 2),
    Scorer.queue({ weight: 1 }),
    Scorer.prefixCache({ weight: 3 }),
  ),
};
const gateway = new AiGateway(chart, 'gateway', { implementation: gatewayFromEnvironment(), picker });
gateway.addModel('qwen-7b', { pool });

app.synth();
