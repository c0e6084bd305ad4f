import type { IConstruct } from 'constructs';
import type { IInferencePool } from '../inference-pool';
import { warn } from '../internal/emit';
import { refuse } from '../internal/errors';
import type { ModelGatewayOptions } from './gateway-props';

/** How long streams may live, and be silent. Both in seconds. */
export interface StreamTimes {
  readonly longestAnswerSeconds: number;
  readonly streamIdleSeconds: number;
}

const HOUR = 3_600;

/** The times of the gateway: the engines' own where nothing was said. @throws AIG486 */
export function streamTimes(scope: IConstruct, options: ModelGatewayOptions, pools: readonly IInferencePool[]): StreamTimes {
  const engines = pools.flatMap((pool) =>
    pool.backends.map((backend) => ({ path: backend.node.path, seconds: backend.longestAnswerSeconds })),
  );
  const given = options.longestAnswer?.toSeconds();
  const longestAnswerSeconds = given ?? (engines.length === 0 ? HOUR : Math.max(...engines.map(({ seconds }) => seconds)));
  const streamIdleSeconds = options.longestSilence?.toSeconds() ?? Math.min(300, longestAnswerSeconds);
  // 99,999 is the largest number that the route's duration format takes
  if (
    longestAnswerSeconds < 1 ||
    longestAnswerSeconds > 86_400 ||
    streamIdleSeconds < 1 ||
    streamIdleSeconds > longestAnswerSeconds
  ) {
    refuse(scope, {
      code: 'AIG486',
      what: 'longestAnswer and longestSilence do not fit',
      value: `${longestAnswerSeconds} s and ${streamIdleSeconds} s`,
      allowed: '1 s to 24 h, and a silence no longer than an answer',
      fix: 'change one of them',
    });
  }
  for (const { path, seconds } of engines) {
    if (given === undefined || seconds >= given) continue;
    warn(
      scope,
      `answers may take ${given} s here, and the engines of ${path} are stopped after ${seconds} s: raise their longestAnswer`,
    );
  }
  return { longestAnswerSeconds, streamIdleSeconds };
}
