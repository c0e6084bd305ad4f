import { fuzz } from './fuzz';
import { FUZZ_TARGETS } from './targets';

/** A taste of `npm run fuzz`, other inputs in every run. */
const SEED = Date.now() % 2 ** 31;

test.each(FUZZ_TARGETS.map((target) => [target.name, target] as const))(`%s hold with seed ${SEED}`, (_name, target) => {
  const failure = fuzz(target, Math.ceil(10_000 * target.share), SEED);
  if (failure !== undefined) {
    throw new Error(`${failure.input.toString('hex')}, cut at ${failure.cut}: ${failure.error.message}`, {
      cause: failure.error,
    });
  }
});

test('something that does not hold is found, with its input', () => {
  const failure = fuzz(
    {
      name: 'picky',
      share: 1,
      seeds: [Buffer.from('abc')],
      run: (bytes) => {
        if (bytes.includes(0)) throw new Error('a zero');
      },
    },
    10_000,
    1,
  );
  expect(failure).toMatchObject({ target: 'picky', error: { message: 'a zero' } });
  expect(failure!.input.includes(0)).toBe(true);
});
