import { DEFAULT_SPEED, type SpeedOptions } from '../../../learned-speed';
import type { Bounds, PluginParameters } from '../../../plugin-parameters';

const RATIO: Bounds = { min: 0.001, max: 1 };
const MILLISECONDS: Bounds = { min: 0, max: 600_000 };

/** `speed-estimator`: how the speed of engines is learned (`learned-speed.ts`). Parameters: those of `SpeedOptions`. */
export const SpeedEstimator = {
  TYPE: 'speed-estimator',
  fromParameters(parameters: PluginParameters): { readonly speed: SpeedOptions } {
    const number = (key: keyof SpeedOptions, bounds: Bounds): number => parameters.number(key, DEFAULT_SPEED[key], bounds);
    const speed = {
      memoryRatio: number('memoryRatio', { min: 0.5, max: 1 }),
      slownessGain: number('slownessGain', RATIO),
      unusualRatio: number('unusualRatio', { min: 1, max: 1_000 }),
      minSlownessRatio: number('minSlownessRatio', RATIO),
      maxSlownessRatio: number('maxSlownessRatio', { min: 1, max: 1_000 }),
      slownessHalfLifeSeconds: number('slownessHalfLifeSeconds', { min: 0.1, max: 86_400 }),
      lengthGain: number('lengthGain', RATIO),
      maxModels: parameters.integer('maxModels', DEFAULT_SPEED.maxModels, { min: 1, max: 100_000 }),
      priorPrefillTokensPerSecond: number('priorPrefillTokensPerSecond', { min: 1, max: 1e9 }),
      priorFirstTokenMs: number('priorFirstTokenMs', MILLISECONDS),
      priorStepMs: number('priorStepMs', MILLISECONDS),
      priorStepMsPerRequest: number('priorStepMsPerRequest', MILLISECONDS),
      priorOutputTokens: number('priorOutputTokens', { min: 1, max: 1e6 }),
      priorDurationSeconds: number('priorDurationSeconds', { min: 0.001, max: 86_400 }),
    };
    parameters.done();
    return { speed };
  },
} as const;
