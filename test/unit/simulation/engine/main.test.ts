import { engineOptions } from '../../../../src/simulation/engine/main';
import { startEngine } from '../../../components/simulated-engine';

describe('engine flags', () => {
  it('become options', () => {
    const args =
      '--port 1 --model a --model b --adapter red=/r --mode echo --seed 3 --profile kvBlocks=9 --profile prefixCaching=false --pod-name p --fault stalled=true --fault slowFactor=2 --drain-seconds 5';
    expect(engineOptions(args.split(' '))).toMatchObject({
      port: 1,
      models: ['a', 'b'],
      adapters: { red: '/r' },
      mode: 'echo',
      seed: 3,
      podName: 'p',
      drainSeconds: 5,
      faults: { stalled: true, slowFactor: 2 },
      profile: { kvBlocks: 9, prefixCaching: false },
    });
  });

  const wrong: [args: string, message: RegExp][] = [
    ['--port x', /--port must be a number \(got 'x'\)/],
    ['--mode loud', /--mode must be echo or generate/],
    ['--profile speedy=1', /knows no field 'speedy'; fields: maxRunningSequences/],
    ['--profile kvBlocks', /--profile must be NAME=VALUE/],
    ['--profile prefixCaching=1', /must be true or false/],
    ['--fault stalled', /--fault must be NAME=VALUE/],
    ['--accelerator abacus', /knows no 'abacus'; allowed: GB200/],
    ['--unknown', /--unknown/],
  ];
  it.each(wrong)('%s is refused', (args, message) => {
    expect(() => engineOptions(args.split(' '))).toThrow(message);
  });
});

describe('the engine program', () => {
  it('prints where it listens, serves, and ends when asked', async () => {
    const engine = await startEngine(['--mode', 'echo', '--pod-name', 'engine-0']);
    const response = await fetch(`${engine.url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'llama', prompt: 'hey' }),
    });
    expect(response.headers.get('x-inference-pod')).toBe('engine-0');
    expect(await response.json()).toMatchObject({ choices: [{ text: 'hey' }] });
    await engine.stop();
    await expect(engine.exited).resolves.toBe(0);
  });

  it('finishes the answer under way when it is asked to end and given time', async () => {
    const engine = await startEngine(['--mode', 'echo', '--drain-seconds', '30', '--profile', 'stepOverheadMs=100']);
    const response = await fetch(`${engine.url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'llama', prompt: 'one two three four', stream: true }),
    });
    process.kill(engine.pid, 'SIGTERM');
    expect((await response.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
    await expect(engine.exited).resolves.toBe(0);
  });

  it('says what is wrong and ends with 2', async () => {
    await expect(startEngine(['--profile', 'kvBlocks=0'])).rejects.toThrow(/ended with 2[\s\S]*AIG590 kvBlocks is out of range/);
  });
});
