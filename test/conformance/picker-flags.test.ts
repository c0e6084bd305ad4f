import { spawnSync } from 'node:child_process';
import { PICKER_FLAGS } from '../../src/picker-config/flags';
import { describeWith } from '../components/describe-with';

/** In the table for what other versions of the reference print in their usage, though 0.10 refuses them at start or hides them. */
const HIDDEN = /-metric$/;

describeWith(['epp'], "the table of flags and the reference's own usage", ({ epp }) => {
  const usage = spawnSync(epp, ['--help'], { encoding: 'utf8' });
  const lines = `${usage.stdout}${usage.stderr}`.match(/^ {2,6}(-\w, )?--[\w-]+.*$/gm)!;
  const theirs = lines.map((line) => {
    const name = /--([\w-]+)/.exec(line)![1]!;
    return [name, /\(default (?:"([^"]*)"|([^)\s]+))\)/.exec(line)?.slice(1).find(Boolean)] as const;
  });

  test('has flags to compare', () => {
    expect(theirs.length).toBeGreaterThan(35);
  });

  test.each(theirs)('--%s is known', (name, byDefault) => {
    const ours = PICKER_FLAGS.find((flag) => flag.name === name);
    expect(ours?.origin).toBe('llm-d');
    if (byDefault !== undefined && !name.startsWith('zap')) expect(ours!.default).toBe(byDefault);
  });

  test('the table has no flag of the reference that it does not have', () => {
    const names = theirs.map(([name]) => name);
    const invented = PICKER_FLAGS.filter(({ origin, name }) => origin === 'llm-d' && !names.includes(name) && !HIDDEN.test(name));
    expect(invented.map(({ name }) => name)).toEqual([]);
  });
});
