import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { PoolTokens } from '../../../../src/picker/telemetry/pool-tokens';
import { outcome } from '../tokens/support';

test('tokens of a pool are counted, and their rate is that of the last minute', () => {
  const tokens = new PoolTokens();
  const page = (nowMs: number): string => {
    const out = new Exposition();
    tokens.write(out, nowMs);
    return out.take();
  };
  for (let second = 0; second < 90; second++) {
    tokens.used('large', outcome({ inputTokens: 60, outputTokens: second < 60 ? 30 : 0 }), second * 1e3);
  }
  tokens.used('large', outcome({ inputTokens: -1, outputTokens: -1 }), 89_000);
  expect(page(89_999)).toContain('aig_picker_pool_tokens_total{kind="input",pool="large"} 5400\n');
  expect(page(89_999)).toContain('aig_picker_pool_tokens_per_second{kind="input",pool="large"} 60\n');
  expect(page(89_999)).toContain('aig_picker_pool_tokens_per_second{kind="output",pool="large"} 15\n');
  expect(page(119_999)).toContain('aig_picker_pool_tokens_per_second{kind="output",pool="large"} 0\n');
  expect(page(300_000)).toContain('aig_picker_pool_tokens_per_second{kind="input",pool="large"} 0\n');
});
