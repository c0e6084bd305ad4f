import { type CircuitBreakerOptions, DEFAULT_CIRCUIT_BREAKER } from '../../../circuit-breaker';
import type { PluginParameters } from '../../../plugin-parameters';

/** `circuit-breaker`: when endpoints that fail are left out (`circuit-breaker.ts`). Parameters: those of `CircuitBreakerOptions`. */
export const CircuitBreakerSignal = {
  TYPE: 'circuit-breaker',
  fromParameters(parameters: PluginParameters): { readonly breaker: CircuitBreakerOptions } {
    const fallback = DEFAULT_CIRCUIT_BREAKER;
    const seconds = (key: 'firstEjectionSeconds' | 'maxEjectionSeconds'): number =>
      parameters.number(key, fallback[key], { min: 0.1, max: 86_400 });
    const breaker = {
      failuresToEject: parameters.integer('failuresToEject', fallback.failuresToEject, { min: 1, max: 1_000_000 }),
      firstEjectionSeconds: seconds('firstEjectionSeconds'),
      maxEjectionSeconds: seconds('maxEjectionSeconds'),
      maxEjectedRatio: parameters.number('maxEjectedRatio', fallback.maxEjectedRatio, { min: 0, max: 1 }),
    };
    parameters.done();
    return { breaker };
  },
} as const;
