import { upOptions } from '../../../../src/cli/up/options';

test('without flags the defaults are those that the usage names', () => {
  expect(upOptions([])).toEqual({
    sources: [],
    port: undefined,
    envoy: undefined,
    replicasMax: 2,
    speed: 1,
    seed: 1,
    json: false,
    once: false,
    tour: false,
    stay: false,
    verbose: false,
  });
});

test('flags and sources are read in any order', () => {
  expect(upOptions(['a.yaml', '--port', '9000', '--tour', 'b/', '--speed=2.5', '--envoy', 'none'])).toMatchObject({
    sources: ['a.yaml', 'b/'],
    port: 9000,
    speed: 2.5,
    tour: true,
    envoy: 'none',
  });
});

test.each([['--help'], ['-h']])('%s asks for the usage', (flag) => expect(upOptions([flag])).toBe('help'));

test.each([
  [['--port', '0'], 1],
  [['--port', '70000'], 1],
  [['--replicas-max', '1.5'], 1],
  [['--accelerator', 'abacus'], 1],
  [['--speed', 'fast', '--seed', '-1'], 1],
  [['--speed', 'fast', '--seed=-1'], 2],
  [['--no-such-flag'], 1],
])('%j is refused with everything that is wrong', (args, count) => {
  const problems = upOptions(args) as readonly { code: string }[];
  expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: count }, () => 'AIG600'));
});
