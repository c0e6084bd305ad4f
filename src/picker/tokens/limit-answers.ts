import type { RejectDecision } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { RequestApi } from '../openai/request-api';
import type { LimitRule } from './limit-rule';
import type { Denial, Standing } from './reservation';

/** The answer to a request that a limit does not let pass, in the shape of its API. */
export function limitAnswer(api: RequestApi, denied: Denial, nowMs: number): RejectDecision {
  const { rule, charge, amount, remaining, retryMs } = denied;
  const limit = `limit '${rule.name}' of ${amount} ${inWords(rule)}`;
  if (retryMs < 0) {
    const detail = `the request needs about ${charge} tokens, which ${limit} can never have free; make it shorter`;
    return rejection(api, 'BadRequest', detail, 'limit-never-fits');
  }
  const isTokens = rule.unit === 'tokens';
  const { isQuota } = rule.window;
  const needed = isTokens ? `, about ${charge} needed` : '';
  const message = `${limit} is used up: ${remaining} left${needed}; try again in ${seconds(retryMs)}`;
  const error = isQuota
    ? { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' }
    : { message, type: isTokens ? 'tokens' : 'requests', param: null, code: 'rate_limit_exceeded' };
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
      `"${rule.name}";q=${amount}${policyOf(rule, nowMs)}`,
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
  const { rule, amount, remaining, clearMs } = standing;
  // no header of either API tells of requests at one time
  if (rule.unit === 'concurrent') return [];
  if (api === 'messages') {
    const prefix = `anthropic-ratelimit-${rule.unit}`;
    const reset = new Date(nowMs + clearMs).toISOString();
    return [`${prefix}-limit`, String(amount), `${prefix}-remaining`, String(remaining), `${prefix}-reset`, reset];
  }
  return [
    `x-ratelimit-limit-${rule.unit}`,
    String(amount),
    `x-ratelimit-remaining-${rule.unit}`,
    String(remaining),
    `x-ratelimit-reset-${rule.unit}`,
    goDuration(clearMs),
  ];
}

function inWords({ unit, window }: LimitRule): string {
  return window.words === undefined ? 'requests at one time' : `${unit} in ${window.words}`;
}

/** The window, or that there is none. */
function policyOf({ unit, window }: LimitRule, nowMs: number): string {
  return unit === 'concurrent' ? ';qu="concurrent-requests"' : `;w=${Math.ceil(window.lengthMs(nowMs) / 1e3)}`;
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
