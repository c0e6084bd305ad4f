import { type CircuitBreakerOptions, DEFAULT_CIRCUIT_BREAKER } from './circuit-breaker';
import { DEFAULT_SPEED, type SpeedOptions } from './learned-speed';
import { DEFAULT_TRUST, type TrustOptions } from './trust';

/** How the picker works out what it knows of endpoints by itself. The same for all profiles and pools. */
export interface OwnSignals {
  readonly trust: TrustOptions;
  readonly breaker: CircuitBreakerOptions;
  readonly speed: SpeedOptions;
}

export const DEFAULT_SIGNALS: OwnSignals = { trust: DEFAULT_TRUST, breaker: DEFAULT_CIRCUIT_BREAKER, speed: DEFAULT_SPEED };
