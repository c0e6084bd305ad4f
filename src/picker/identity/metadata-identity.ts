import type { MetadataIdentity as MetadataSettings } from '../../picker-config/picker-policy';
import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { RequestApi } from '../openai/request-api';
import type { Identity, VerifiedClient } from './identity';

/** Believes what the gateway's own filters found out: no client can write dynamic metadata. */
export class MetadataIdentity implements Identity {
  public readonly credentialHeaders: readonly string[] = [];

  public constructor(private readonly settings: MetadataSettings) {}

  public identify(request: RequestFacts, api: RequestApi): VerifiedClient | RejectDecision {
    const { namespace, clientKey, tenantKey } = this.settings;
    const id = request.metadata?.(namespace, clientKey);
    if (id === undefined || id === '') {
      return rejection(api, 'Unauthorized', 'the gateway did not say who the client is', 'unauthorized-no-client');
    }
    const tenant = tenantKey === undefined ? undefined : request.metadata?.(namespace, tenantKey);
    return { id, tenant, keyName: undefined };
  }
}
