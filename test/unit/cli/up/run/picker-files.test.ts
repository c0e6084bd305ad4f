import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PickerPlan } from '../../../../../src/cli/up/plan/picker-plans';
import { loopbackPolicy } from '../../../../../src/cli/up/run/picker-files';
import { limit } from '../../../picker/tokens/support';

test('the picker enforces on a laptop what the gateway enforces in the cluster, and says so', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'up-'));
  try {
    const limits = [limit({ name: 'theirs', enforcedBy: 'gateway', key: { source: 'all' } }), limit({ name: 'ours' })];
    const plan = { name: 'p', policy: { pools: [], models: [], limits } } as unknown as PickerPlan;
    const notices: string[] = [];
    const policy = loopbackPolicy(plan, folder, (text) => notices.push(text));
    expect(policy!.limits.map(({ name, enforcedBy = 'picker' }) => [name, enforcedBy])).toEqual([
      ['theirs', 'picker'],
      ['ours', 'picker'],
    ]);
    expect(notices).toEqual(["picker p: limit 'theirs' is the gateway's in the cluster, and the picker enforces it here"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
