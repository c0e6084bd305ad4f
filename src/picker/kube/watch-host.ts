import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../shared/clock';
import type { RandomSource } from '../../shared/random';
import type { Logger } from '../telemetry/log';
import type { ClusterWatch } from './cluster-watch';

/** What everything that follows the Kubernetes API works with. */
export interface WatchHost {
  readonly cluster: ClusterWatch;
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Rejects when the signal is aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Waits without keeping the process alive. */
export const realDelay: WatchHost['delay'] = (ms, signal) => sleep(ms, undefined, { signal, ref: false });
