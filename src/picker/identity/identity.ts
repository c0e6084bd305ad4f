import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import type { RequestApi } from '../openai/request-api';

/** Who a request is from, verified. */
export interface VerifiedClient {
  readonly id: string;
  readonly tenant: string | undefined;
  /** Stable name of the API key that was used, not the key. */
  readonly keyName: string | undefined;
  /** Of the claims that limits count by. @default none */
  readonly claims?: ReadonlyMap<string, string>;
}

/** Finds out who a request is from. */
export interface Identity {
  /** Request headers that hold the proof, and that an engine must not see. */
  readonly credentialHeaders: readonly string[];
  identify(request: RequestFacts, api: RequestApi): VerifiedClient | RejectDecision;
}
