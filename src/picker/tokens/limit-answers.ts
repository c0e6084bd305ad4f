import type { RejectDecision } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { RequestApi } from '../openai/request-api';
import type { Denial, Standing } from './reservation';

/** From a day on a limit is a quota: clients should tell their users, rather than try again. */
const QUOTA_WINDOW_MS = 86_400_000;

/** The answer to a request that a limit does not let pass, in the shape of its API. */
export function limitAnswer(api: RequestApi, denied: Denial, nowMs: number): RejectDecision {
  const { rule, charge, amount, remaining, retryMs } = denied;
  const limit = `limit '${rule.name}' of ${amount} tokens in ${seconds(rule.windowMs)}`;
  if (retryMs < 0) {
    const detail = `the request needs about ${charge} tokens, which ${limit} can never have free; make it shorter`;
    return rejection(api, 'BadRequest', detail, 'limit-never-fits');
  }
  const isQuota = rule.windowMs >= QUOTA_WINDOW_MS;
  const message = `${limit} is used up: ${remaining} left, about ${charge} needed; try again in ${seconds(retryMs)}`;
  const error = isQuota
    ? { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' }
    : { message, type: 'tokens', param: null, code: 'rate_limit_exceeded' };
  const body = api === 'messages' ? { type: 'error', error: { type: 'rate_limit_error', message } } : { error };
  return {
    kind: 'reject',
    status: 429,
    reason: isQuota ? 'limit-quota' : 'limit-rate',
    body: Buffer.from(JSON.stringify(body)),
    headers: [
      'content-type',
      'application/json',
      // RFC 9110, 10.2.3: whole seconds, never too early; the other header is what OpenAI's SDKs prefer
      'retry-after',
      String(Math.ceil(retryMs / 1e3)),
      'retry-after-ms',
      String(retryMs),
      ...standingHeaders(api, denied, nowMs),
      // draft-ietf-httpapi-ratelimit-headers
      'ratelimit-policy',
      `"${rule.name}";q=${amount};w=${Math.ceil(rule.windowMs / 1e3)}`,
      'ratelimit',
      `"${rule.name}";r=${remaining};t=${Math.ceil(retryMs / 1e3)}`,
    ],
  };
}

/** 503 while the shared store does not answer and a limit must not be let pass uncounted. */
export function storeFailureAnswer(api: RequestApi, retryMs: number): RejectDecision {
  const detail = 'token budgets cannot be checked at the moment';
  const headers = ['retry-after', String(Math.max(1, Math.ceil(retryMs / 1e3))), 'retry-after-ms', String(retryMs)];
  return rejection(api, 'ServiceUnavailable', detail, 'limit-store-unavailable', headers);
}

/**
 * What a client may know of its tightest limit, in the headers that the SDKs of its API read.
 * @param nowMs wall clock
 */
export function standingHeaders(api: RequestApi, standing: Standing, nowMs: number): string[] {
  const { amount, remaining, clearMs } = standing;
  if (api === 'messages') {
    return [
      'anthropic-ratelimit-tokens-limit',
      String(amount),
      'anthropic-ratelimit-tokens-remaining',
      String(remaining),
      'anthropic-ratelimit-tokens-reset',
      new Date(nowMs + clearMs).toISOString(),
    ];
  }
  return [
    'x-ratelimit-limit-tokens',
    String(amount),
    'x-ratelimit-remaining-tokens',
    String(remaining),
    'x-ratelimit-reset-tokens',
    goDuration(clearMs),
  ];
}

/** As OpenAI writes durations: `12ms`, `1.5s`, `6m0s`, `1h30m0s`. */
export function goDuration(ms: number): string {
  if (ms < 1e3) return `${Math.round(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const rest = `${Math.round(ms % 60_000) / 1e3}s`;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`;
}
