import { finding, type Rule, type RuleFinding } from './rule';
import { workloads } from './support/workloads';

const DEFAULT_GRACE_SECONDS = 30;

/** The grace period runs while the preStop hook runs: what is left after a long sleep may be nothing. */
export const hookTime: Rule = {
  code: 'AIG209',
  name: 'hook-time',
  title: 'A preStop hook ends before the grace period does',
  severity: 'error',
  check: (index) =>
    workloads(index).flatMap(({ podSpec }) => {
      const grace = podSpec.at('terminationGracePeriodSeconds').number ?? DEFAULT_GRACE_SECONDS;
      return podSpec.at('containers').items.flatMap((container): RuleFinding[] => {
        const command = container.at('lifecycle', 'preStop', 'exec', 'command');
        const seconds = sleepSeconds(command.texts);
        if (seconds === undefined || seconds < grace) return [];
        return [
          finding(command, `sleeps ${seconds} s, and the pod is killed after ${grace} s: the process never gets SIGTERM`, {
            allowed: `less than ${grace} s, or a larger terminationGracePeriodSeconds`,
            fix: `set terminationGracePeriodSeconds to ${seconds + 30} or more`,
          }),
        ];
      });
    }),
};

/** `sleep 30` alone, or as the only command of a shell. */
function sleepSeconds(words: readonly string[]): number | undefined {
  const text = /(^|\/)(ba|da)?sh$/.test(words[0] ?? '') && words[1] === '-c' ? words[2] : words.join(' ');
  const match = /^\s*(?:\/bin\/|\/usr\/bin\/)?sleep\s+(\d+)s?\s*;?\s*$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]);
}
