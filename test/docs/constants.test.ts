import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_SIGNALS } from '../../src/picker/scheduling/own-signals';
import { DEFAULT_POWER_OF_K } from '../../src/picker/scheduling/plugins/picker/power-of-k-picker/power-of-k-picker';
import { DEFAULT_EXPECTED_COST } from '../../src/picker/scheduling/plugins/scorer/expected-cost-scorer/expected-cost-scorer';
import { ROOT } from './support/pages';

const PAGE = readFileSync(path.join(ROOT, 'docs/picker/default-profile.md'), 'utf8');
const CONSTANTS = PAGE.split('\n## Constants\n')[1]!.split('\n## ')[0]!;
const { maxNumOfEndpoints: _, ...POWER_OF_K } = DEFAULT_POWER_OF_K;

/** What the tables of the page say: the name of each parameter, and its default. */
const documented = [...CONSTANTS.matchAll(/^\| `(\w+)` \| ([\d.,]+) \| \S/gm)].map(
  ([, name, value]) => [name!, Number(value!.replaceAll(',', ''))] as const,
);

test('every constant of the default profile is on its page, with the default that the code has', () => {
  const { trust, breaker, speed } = DEFAULT_SIGNALS;
  const inCode = Object.entries({ ...DEFAULT_EXPECTED_COST, ...POWER_OF_K, ...trust, ...breaker, ...speed });
  expect(new Map(documented)).toEqual(new Map(inCode));
  expect(documented).toHaveLength(inCode.length);
});
