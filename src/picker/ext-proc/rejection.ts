import { ERROR_STATUS, type ErrorCode, errorBody } from '../openai/error-body';
import type { RequestApi } from '../openai/request-api';
import type { RejectDecision } from './director';

export const DROP_REASON_HEADER = 'x-llm-d-request-dropped-reason';

/**
 * Refuses a request in the error shape of its API.
 * @param reason machine readable; those that start with `rejected-` or `evicted` are also sent as the drop reason header
 * @param headers further response headers, name and value in turn
 */
export function rejection(
  api: RequestApi,
  code: ErrorCode,
  detail: string,
  reason: string,
  headers: readonly string[] = [],
): RejectDecision {
  return {
    kind: 'reject',
    status: ERROR_STATUS[code],
    reason,
    body: errorBody(api, code, detail),
    headers: ['content-type', 'application/json', ...headers],
  };
}

/** Headers of the answer to the client. */
export function rejectionHeaders(decision: RejectDecision): readonly string[] {
  const isDrop = decision.reason.startsWith('rejected-') || decision.reason.startsWith('evicted');
  return isDrop ? [...decision.headers, DROP_REASON_HEADER, decision.reason] : decision.headers;
}
