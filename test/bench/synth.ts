import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ApiObject, App, Chart } from 'cdk8s';
import {
  Accelerator,
  AiGateway,
  GatewayImplementation,
  InferencePool,
  ModelSource,
  PickerDelivery,
  VllmBackend,
} from '../../src';

const SIZES = [50, 500, 2_000];
const MODELS_PER_POOL = 10;
const ROUNDS = 3;

/** A gateway with `models` models on a tenth as many pools, written to a folder. Returns the objects. */
function ours(models: number, outdir: string): object[] {
  const app = new App({ outdir });
  const chart = new Chart(app, 'llm', { namespace: 'ai' });
  const gateway = new AiGateway(chart, 'gateway', {
    implementation: GatewayImplementation.envoyGateway(),
    picker: { delivery: PickerDelivery.image('registry.example.com/picker:1.0.0') },
  });
  for (let number = 0; number < models / MODELS_PER_POOL; number++) {
    const backend = new VllmBackend(chart, `engine-${number}`, {
      model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
      accelerator: Accelerator.nvidia('L40S'),
      maxModelLengthTokens: 8_192,
    });
    const pool = new InferencePool(chart, `pool-${number}`, { backend });
    for (let index = 0; index < MODELS_PER_POOL; index++) gateway.addModel(`model-${number}-${index}`, { pool });
  }
  app.synth();
  return chart.toJson();
}

/** The same objects, as plain data, through bare cdk8s. */
function bare(objects: readonly object[], outdir: string): void {
  const app = new App({ outdir });
  const chart = new Chart(app, 'llm');
  for (const [index, object] of objects.entries()) new ApiObject(chart, `object-${index}`, object as never);
  app.synth();
}

function seconds(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1_000;
  });
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-synth-'));
try {
  console.log(`synthesis, median of ${ROUNDS} (Node ${process.versions.node})`);
  console.log('models  pools  objects   this library   bare cdk8s   ratio   ms per model');
  for (const models of SIZES) {
    const objects = ours(models, folder);
    const mine = seconds(() => ours(models, folder));
    const floor = seconds(() => bare(objects, folder));
    const cells = [models, models / MODELS_PER_POOL, objects.length].map((value, index) =>
      String(value).padStart([6, 7, 9][index]!),
    );
    console.log(
      `${cells.join('')}   ${`${mine.toFixed(2)} s`.padStart(12)}   ${`${floor.toFixed(2)} s`.padStart(10)}   ${(mine / floor).toFixed(1).padStart(5)}   ${((1_000 * mine) / models).toFixed(2).padStart(12)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
