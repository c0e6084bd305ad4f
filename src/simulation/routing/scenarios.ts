import { type EngineProfile, engineProfile } from '../engine/core/profile';
import { conversations, hotPrefix, longContext, mixedAdapters, sharedPrefixes, type Traffic, uniquePrompts } from './traffic';

/** Traffic and the engines that it meets. */
export interface Scenario {
  readonly name: string;
  readonly traffic: Traffic;
  readonly engines: readonly EngineProfile[];
  /** One engine is replaced by a fresh one halfway. */
  readonly restarts: boolean;
}

/** Few places and little memory: 12 sequences, 10,240 tokens. */
const SMALL = engineProfile({
  maxRunningSequences: 12,
  kvBlocks: 640,
  maxModelTokens: 10_240,
  stepOverheadMs: 14,
  decodeMsPerSequence: 1,
  prefillOverheadMs: 4,
  prefillMsPerToken: 0.06,
});

/** The same with room for 4 adapters, and 100 ms to load another. */
const SMALL_WITH_ADAPTERS: EngineProfile = { ...SMALL, maxAdapters: 4, adapterLoadMs: 100 };

/** An 8 B model on a large accelerator with part of its memory. */
const LARGE = engineProfile({ maxRunningSequences: 64, kvBlocks: 4096, prefillMsPerToken: 0.06 });

function slower(profile: EngineProfile, factor: number): EngineProfile {
  return {
    ...profile,
    stepOverheadMs: factor * profile.stepOverheadMs,
    decodeMsPerSequence: factor * profile.decodeMsPerSequence,
    prefillOverheadMs: factor * profile.prefillOverheadMs,
    prefillMsPerToken: factor * profile.prefillMsPerToken,
  };
}

function six(profile: EngineProfile): EngineProfile[] {
  return Array.from({ length: 6 }, () => profile);
}

function scenario(traffic: Traffic, engines: readonly EngineProfile[] = six(SMALL), suffix = '', restarts = false): Scenario {
  return { name: `${traffic.name}${suffix}`, traffic, engines, restarts };
}

const withSlow = (profile: EngineProfile): EngineProfile[] => [slower(profile, 3), ...six(profile).slice(1)];

/** The shapes by which routers are compared, each at two loads or more, on engines so small that two cores carry their traffic in real time. */
export const SMALL_SCENARIOS: readonly Scenario[] = [
  scenario(sharedPrefixes(20)),
  scenario(sharedPrefixes(40)),
  scenario(sharedPrefixes(60)),
  scenario(conversations(30)),
  scenario(conversations(60)),
  scenario(uniquePrompts(40)),
  scenario(uniquePrompts(60)),
  scenario(hotPrefix(30)),
  scenario(hotPrefix(60)),
  scenario(longContext(20)),
  scenario(longContext(40)),
  scenario(mixedAdapters(30), six(SMALL_WITH_ADAPTERS)),
  scenario(mixedAdapters(60), six(SMALL_WITH_ADAPTERS)),
  scenario(sharedPrefixes(40), withSlow(SMALL), ', one slow'),
  scenario(uniquePrompts(40), withSlow(SMALL), ', one slow'),
  scenario(sharedPrefixes(40), six(SMALL), ', one restarted', true),
];

/** Those, and large engines. */
export const SCENARIOS: readonly Scenario[] = [
  ...SMALL_SCENARIOS,
  scenario(sharedPrefixes(150), six(LARGE), ', large engines'),
  scenario(conversations(150), six(LARGE), ', large engines'),
  scenario(uniquePrompts(150), six(LARGE), ', large engines'),
];
