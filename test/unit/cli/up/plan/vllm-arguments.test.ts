import { engineArguments } from '../../../../../src/cli/up/plan/vllm-arguments';

test.each([
  ['vllm serve', { command: ['vllm', 'serve'], args: ['org/a', '--port=9000'] }, ['org/a'], 9000],
  ['served names', { args: ['org/a', '--served-model-name', 'a', 'b', '--port', '8000'] }, ['a', 'b'], 8000],
  ['underscores', { args: ['--model=org/a', '--served_model_name=a'] }, ['a'], undefined],
  ['a shell', { command: ['sh', '-c', 'vllm serve org/a --port 8001'] }, ['org/a'], 8001],
  ['the image’s entry point', { args: ['org/a'] }, ['org/a'], undefined],
  ['another program', { command: ['nginx'], args: ['-g', 'daemon off;'] }, [], undefined],
  ['nothing', {}, [], undefined],
])('%s', (_name, container, models, port) => {
  expect(engineArguments({ name: 'engine', ...container })).toMatchObject({ models, port });
});

test('adapters are read in both forms', () => {
  const args = ['org/a', '--lora-modules', 'sql=/sql', '{"name": "law", "path": "/law"}', '--max-loras=3'];
  expect(engineArguments({ name: 'engine', args })).toMatchObject({
    adapters: { sql: '/sql', law: '/law' },
    profile: { maxAdapters: 3 },
  });
});

test('the longest sequence fits into the simulated cache, as vLLM demands', () => {
  const { profile } = engineArguments({ name: 'engine', args: ['org/a', '--max-model-len=1000000'] });
  expect(profile.kvBlocks! * 16).toBeGreaterThanOrEqual(1_000_000);
});
