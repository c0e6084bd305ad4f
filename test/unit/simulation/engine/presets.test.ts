import { Engine } from '../../../../src/simulation/engine/core/engine';
import { engineProfile } from '../../../../src/simulation/engine/core/profile';
import { Sequence } from '../../../../src/simulation/engine/core/sequence';
import { VirtualTimeline } from '../../../../src/simulation/engine/core/timeline';
import {
  ACCELERATOR_FIGURES,
  acceleratorFigures,
  acceleratorProfile,
  type ModelShape,
} from '../../../../src/simulation/engine/presets';

/** Llama 3.3 70B (`config.json`): 80 layers, 8 KV heads of 128 elements. */
const LLAMA_70B: ModelShape = { parameters: 70.6e9, layers: 80, kvBytesPerToken: 327_680 };

test.each(
  ACCELERATOR_FIGURES.map(({ name }) => [name]),
)('%s has a profile for a small model, and says where it is from', (name) => {
  const profile = acceleratorProfile(name, { parameters: 3.2e9, layers: 28, kvBytesPerToken: 114_688 })!;
  expect(() => engineProfile(profile)).not.toThrow();
  expect(acceleratorFigures(name)!.name).toBe(name);
  expect(acceleratorFigures(name)!.source.length).toBeGreaterThan(10);
});

test('steps and prompts take what the roofline says', () => {
  // 16.06 GB of weights at 3.35 TB/s are 4.794 ms
  const h100 = acceleratorProfile('H100')!;
  expect(h100.stepOverheadMs).toBeCloseTo(1.4 * 4.794 + 32 * 0.032 + 0.126, 2);
  expect(h100.prefillMsPerToken).toBeCloseTo((16.06e9 / (0.45 * 989e12)) * 1e3, 4);
  const four = acceleratorProfile('H100', LLAMA_70B, 4)!;
  expect(four.stepOverheadMs).toBeCloseTo((1.4 * 141.2e9) / (4 * 3350e6) + 80 * 0.032 + 0.126, 2);
});

test('a model that does not fit has no profile, nor has an accelerator that nobody knows', () => {
  expect(acceleratorProfile('H100', LLAMA_70B, 1)).toBeUndefined();
  expect(acceleratorProfile('H100', LLAMA_70B, 4)).toBeDefined();
  expect(acceleratorProfile('GTX 1080')).toBeUndefined();
});

test.each([
  ['NVIDIA-H100-80GB-HBM3', 'H100'],
  ['NVIDIA-A100-SXM4-80GB', 'A100-80GB'],
  ['nvidia-tesla-a100', 'A100-40GB'],
  ['nvidia-l4', 'L4'],
  ['NVIDIA-L40S', 'L40S'],
  ['Tesla-T4', 'T4'],
  ['NVIDIA-GB200', 'GB200'],
  ['tpu-v5-lite-podslice', 'v5e'],
  ['AMD-Instinct-MI300X', 'MI300X'],
])('the label %s is %s', (label, name) => {
  expect(acceleratorFigures(label)?.name).toBe(name);
});

test('one stream on an H100 runs at the speed that such cards are measured with', () => {
  const timeline = new VirtualTimeline();
  const engine = new Engine(timeline, engineProfile(acceleratorProfile('H100')!));
  const sequence = engine.submit({
    promptTokens: new Int32Array(1_000).fill(7),
    outputTokens: new Int32Array(100).fill(8),
    finishReason: 'length',
  });
  timeline.run();
  if (!(sequence instanceof Sequence)) throw new Error(sequence);
  const tokensPerSecond = 99 / ((sequence.finishedMs - sequence.firstTokenMs) / 1e3);
  // an 8 B model in 16 bit, batch of one: about 120 to 150 tokens a second on one H100
  expect(tokensPerSecond).toBeGreaterThan(100);
  expect(tokensPerSecond).toBeLessThan(170);
});

test('a slow engine takes as many times as long', () => {
  const finished = [1, 3].map((slowFactor) => {
    const timeline = new VirtualTimeline();
    const engine = new Engine(timeline, engineProfile({}));
    engine.faults = { ...engine.faults, slowFactor };
    engine.submit({ promptTokens: new Int32Array(64), outputTokens: new Int32Array(10), finishReason: 'stop' });
    timeline.run();
    return timeline.nowMs();
  });
  expect(finished[1]! / finished[0]!).toBeCloseTo(3, 6);
});
