import { SubsetSelector } from '../../../../src/picker/scheduling/subset';
import { poolOf } from './support/pool';

test('after four thousand million calls a subset still names only its own', () => {
  const { snapshot } = poolOf({}, {}, {});
  const selector = new SubsetSelector();
  const candidates = new Int32Array(3);
  selector.select(['10.0.0.1'], snapshot, candidates);
  (selector as unknown as { call: number }).call = -1;
  for (let i = 0; i < 3; i++) expect(selector.select(['10.0.0.0'], snapshot, candidates)).toBe(1);
  expect(candidates[0]).toBe(0);
});
