import type { RejectDecision } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { Refusal, RefusalReason } from '../flow-control/outcome';
import type { ErrorCode } from '../openai/error-body';
import type { RequestApi } from '../openai/request-api';

/** Another replica answers at once. */
const ELSEWHERE_MS = 1_000;

/** Status, words and drop reason; where llm-d's picker has words for it, they are the same. */
const ANSWERS: Readonly<Record<RefusalReason, readonly [code: ErrorCode, detail: string, reason: string]>> = {
  'too-large': ['PayloadTooLarge', 'the request body is larger than all that may wait', 'payload-too-large'],
  full: ['ResourceExhausted', 'request rejected pre-queue: queue at capacity', 'rejected-saturated'],
  'no-endpoints': [
    'ServiceUnavailable',
    'no endpoints available: request rejected pre-queue: queue at capacity',
    'rejected-no-endpoints',
  ],
  expired: [
    'ResourceExhausted',
    'request timed out in queue: request evicted from queue: request TTL expired',
    'rejected-ttl-expired',
  ],
  'expired-no-endpoints': [
    'ServiceUnavailable',
    'request timed out in queue and no endpoints are available: request evicted from queue: request TTL expired',
    'rejected-no-endpoints',
  ],
  'evicted-priority': ['ResourceExhausted', 'request evicted from queue for one of a higher priority', 'evicted-priority'],
  'evicted-running': ['ResourceExhausted', 'request evicted by flow control', 'evicted'],
  'evicted-pressure': [
    'ResourceExhausted',
    'request evicted from queue for a client with fewer requests in it',
    'evicted-queue-pressure',
  ],
  shed: ['ResourceExhausted', 'system saturated, sheddable request dropped', 'rejected-saturated'],
  'shutting-down': ['ServiceUnavailable', 'flow controller shutting down: request evicted from queue', 'rejected-shutting-down'],
};

/** What a client hears that flow control refuses, with the time after which trying again makes sense. */
export function flowAnswer(api: RequestApi, { reason, retryMs }: Refusal): RejectDecision {
  const [code, detail, dropReason] = ANSWERS[reason];
  if (retryMs < 0) return rejection(api, code, detail, dropReason);
  const waitMs = reason === 'shutting-down' ? ELSEWHERE_MS : Math.ceil(retryMs);
  // RFC 9110, 10.2.3: whole seconds, never too early; the other header is what OpenAI's SDKs prefer
  const headers = ['retry-after', String(Math.ceil(waitMs / 1e3)), 'retry-after-ms', String(waitMs)];
  return rejection(api, code, detail, dropReason, headers);
}
