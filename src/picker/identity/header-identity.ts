import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { RequestApi } from '../openai/request-api';
import type { Identity, VerifiedClient } from './identity';

/**
 * Believes the headers that the gateway sets after it has verified the client, and overwrites or removes when the client sends them. A
 * request that comes without is one that nobody has verified.
 */
export class HeaderIdentity implements Identity {
  public readonly credentialHeaders: readonly string[];

  public constructor(
    private readonly clientHeader: string,
    private readonly tenantHeader: string,
    removeHeaders: readonly string[] = [],
  ) {
    this.credentialHeaders = [clientHeader, tenantHeader, ...removeHeaders];
  }

  public identify(request: RequestFacts, api: RequestApi): VerifiedClient | RejectDecision {
    const id = request.header(this.clientHeader);
    if (id === undefined || id === '') {
      return rejection(api, 'Unauthorized', 'the gateway did not say who the client is', 'unauthorized-no-client');
    }
    return { id, tenant: request.header(this.tenantHeader), keyName: undefined };
  }
}
