import { formatProblem, type Problem } from '../../../shared/problem';

/** What an engine can hold and how fast it is. Times are simulated milliseconds. */
export interface EngineProfile {
  /** Sequences in one batch (vLLM: `--max-num-seqs`). */
  readonly maxRunningSequences: number;
  /** Requests that may wait; more are refused with 429. */
  readonly maxWaitingRequests: number;
  /** Tokens computed in one step; longer prompts are computed in chunks (vLLM: `--max-num-batched-tokens`). */
  readonly maxBatchedTokens: number;
  /** Tokens in one KV block (vLLM: `--block-size`). */
  readonly blockTokens: number;
  /** KV blocks on the accelerator. */
  readonly kvBlocks: number;
  /** Prompt and answer together (vLLM: `--max-model-len`). */
  readonly maxModelTokens: number;
  /** Whether full blocks stay findable by their content after their sequence ended. */
  readonly prefixCaching: boolean;
  /** What every step costs, whatever is in it. */
  readonly stepOverheadMs: number;
  /** Added to a step for each sequence that decodes one token in it. */
  readonly decodeMsPerSequence: number;
  /** Added to the step in which a prompt's computation begins. */
  readonly prefillOverheadMs: number;
  /** Added to a step for each prompt token computed in it; tokens found in the prefix cache are not computed. */
  readonly prefillMsPerToken: number;
  /** Adapters that one batch may mix and that stay loaded (vLLM: `--max-loras`). */
  readonly maxAdapters: number;
  /** Added to the step that first needs an adapter which is not loaded. */
  readonly adapterLoadMs: number;
  /** From start until the engine answers. */
  readonly loadMs: number;
  /** Each step takes between `1 − jitterRatio` and `1 + jitterRatio` of its computed time. */
  readonly jitterRatio: number;
}

/** An 8 B model on one large accelerator, in round numbers; capacities are vLLM's own defaults where it has one. */
export const defaultProfile: EngineProfile = {
  maxRunningSequences: 256,
  maxWaitingRequests: 10_000,
  maxBatchedTokens: 2048,
  blockTokens: 16,
  kvBlocks: 8192,
  maxModelTokens: 32_768,
  prefixCaching: true,
  stepOverheadMs: 8,
  decodeMsPerSequence: 0.1,
  prefillOverheadMs: 4,
  prefillMsPerToken: 0.05,
  maxAdapters: 1,
  adapterLoadMs: 50,
  loadMs: 0,
  jitterRatio: 0,
};

const counts = ['maxRunningSequences', 'maxBatchedTokens', 'blockTokens', 'kvBlocks', 'maxModelTokens', 'maxAdapters'] as const;
const countsOrZero = ['maxWaitingRequests'] as const;
const times = [
  'stepOverheadMs',
  'decodeMsPerSequence',
  'prefillOverheadMs',
  'prefillMsPerToken',
  'adapterLoadMs',
  'loadMs',
] as const;

/** The default profile with these changes; throws one error that lists everything that is wrong with them. */
export function engineProfile(changes: Partial<EngineProfile> = {}): EngineProfile {
  const profile = { ...defaultProfile, ...changes };
  const problems: Problem[] = [];
  const check = (name: keyof EngineProfile, right: boolean, allowed: string) => {
    if (!right) problems.push(problem(`${name} is out of range`, profile[name], allowed, `set ${name} to a value in the range`));
  };
  for (const name of counts) check(name, Number.isInteger(profile[name]) && profile[name] > 0, 'a whole number from 1');
  for (const name of countsOrZero) check(name, Number.isInteger(profile[name]) && profile[name] >= 0, 'a whole number from 0');
  for (const name of times) check(name, Number.isFinite(profile[name]) && profile[name] >= 0, 'milliseconds from 0');
  check('jitterRatio', profile.jitterRatio >= 0 && profile.jitterRatio < 1, '0 up to, not including, 1');

  // One sequence of the greatest length must fit when it is alone, else it would wait for ever. vLLM refuses to start for the same reason.
  const capacityTokens = profile.kvBlocks * profile.blockTokens;
  if (problems.length === 0 && capacityTokens < profile.maxModelTokens) {
    const fix = `raise kvBlocks to ${Math.ceil(profile.maxModelTokens / profile.blockTokens)} or lower maxModelTokens`;
    problems.push(
      problem(
        'the KV cache cannot hold one sequence of maxModelTokens',
        profile.maxModelTokens,
        `up to ${capacityTokens} tokens`,
        fix,
      ),
    );
  }
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'));
  return profile;
}

function problem(what: string, value: unknown, allowed: string, fix: string): Problem {
  return { code: 'AIG590', what, value, allowed, fix };
}
