import type { Construct } from 'constructs';
import type { PolicyAccess } from '../../picker-config/picker-policy';
import { refuse } from '../internal/errors';
import type { ClientIdentity } from '../values/client-identity';
import type { ModelAccess } from '../values/model-access';

/** What the checks of access lists look at. */
export interface AccessCheckInput {
  readonly access: ModelAccess | undefined;
  readonly identity: ClientIdentity | undefined;
  /** Names, aliases and adapters. */
  readonly modelNames: ReadonlySet<string>;
  readonly isLlmd: boolean;
}

/** Refuses lists that nobody would hold clients to. @throws AIG496 to AIG498 */
export function checkAccess(scope: Construct, { access, identity, modelNames, isLlmd }: AccessCheckInput): void {
  if (access === undefined) return;
  if (isLlmd) {
    const what = 'the llm-d picker knows no clients, and would let each of them use every model';
    refuse(scope, { code: 'AIG497', what, fix: 'use the picker of this project, or leave modelAccess out' });
  }
  if (identity === undefined) {
    const what = 'models are listed per client, and the gateway knows none';
    refuse(scope, { code: 'AIG496', what, fix: 'set identity on the gateway (ClientIdentity.apiKeys or .jwt)' });
  }
  if (Object.keys(access.tenants ?? {}).length > 0 && identity.jwtOptions?.tenantClaim === undefined) {
    const what = 'models are listed per tenant, and the identity names none';
    refuse(scope, { code: 'AIG496', what, fix: 'set tenantClaim of ClientIdentity.jwt, or list clients' });
  }
  const lists = [...Object.values(access.clients ?? {}), ...Object.values(access.tenants ?? {}), access.others ?? []];
  const unknown = lists.flat().find((name) => !modelNames.has(name));
  if (unknown === undefined) return;
  refuse(scope, {
    code: 'AIG498',
    what: 'modelAccess names a model that the gateway does not have',
    value: unknown,
    allowed: [...modelNames].join(', '),
    fix: 'add the model, or change the name',
  });
}

/** The lists for a picker that knows only some of the models. A list stays when it is empty: its client may use none of them. */
export function accessPolicy({ clients = {}, tenants = {}, others = [] }: ModelAccess, names: ReadonlySet<string>): PolicyAccess {
  const known = (list: readonly string[]): string[] => list.filter((name) => names.has(name));
  const lists = (of: { readonly [name: string]: string[] }): Record<string, string[]> =>
    Object.fromEntries(Object.entries(of).map(([name, list]) => [name, known(list)]));
  return { clients: lists(clients), tenants: lists(tenants), others: known(others) };
}
