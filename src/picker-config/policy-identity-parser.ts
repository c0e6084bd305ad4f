import { ConfigCode } from './codes';
import type { ConfigNode } from './config-node';
import {
  DEFAULT_CLIENT_HEADER,
  DEFAULT_CLOCK_SKEW_SECONDS,
  DEFAULT_TENANT_HEADER,
  type PolicyAccess,
  type PolicyIdentity,
} from './picker-policy';
import { all, given, HEADER_NAME, MODEL_NAME, NOT_EMPTY } from './policy-forms';

export function readIdentity(node: ConfigNode | undefined): PolicyIdentity | undefined {
  // the source decides which keys there may be, so it is read before the rest is checked
  const source = node?.entries()?.get('source');
  if (node === undefined) return undefined;
  if (source === undefined) {
    return node.fault(ConfigCode.MISSING_KEY, "'identity.source' is missing", { fix: 'say who verifies the clients' });
  }
  switch (source.oneOf(['header', 'metadata', 'apiKeys', 'jwt'])) {
    case 'header': {
      const fields = node.fields(['source', 'clientHeader', 'tenantHeader', 'removeHeaders']);
      const clientHeader = fields?.get('clientHeader')?.text(HEADER_NAME) ?? DEFAULT_CLIENT_HEADER;
      return {
        source: 'header',
        clientHeader,
        tenantHeader: fields?.get('tenantHeader')?.text(HEADER_NAME) ?? DEFAULT_TENANT_HEADER,
        removeHeaders: all(fields?.get('removeHeaders'), (entry) => entry.text(HEADER_NAME)),
      };
    }
    case 'metadata': {
      const fields = node.fields(['source', 'namespace', 'clientKey', 'tenantKey']);
      const namespace = fields?.required('namespace', 'name the metadata namespace')?.text(NOT_EMPTY);
      const clientKey = fields?.required('clientKey', 'name the key of the client')?.text(NOT_EMPTY);
      const tenantKey = fields?.get('tenantKey')?.text(NOT_EMPTY);
      if (namespace === undefined || clientKey === undefined) return undefined;
      return { source: 'metadata', namespace, clientKey, ...given('tenantKey', tenantKey) };
    }
    case 'apiKeys': {
      const fields = node.fields(['source', 'directory', 'header']);
      const directory = fields
        ?.required('directory', 'give the directory of the keys, for example a mounted Secret')
        ?.text(NOT_EMPTY);
      const header = fields?.get('header')?.text(HEADER_NAME) ?? 'authorization';
      return directory === undefined ? undefined : { source: 'apiKeys', directory, header };
    }
    case 'jwt':
      return readJwt(node);
    default:
      return undefined;
  }
}

function readJwt(node: ConfigNode): PolicyIdentity | undefined {
  const fields = node.fields(['source', 'issuer', 'audiences', 'jwksFile', 'clientClaim', 'tenantClaim', 'clockSkewSeconds']);
  const issuer = fields?.required('issuer', 'give the issuer of the tokens')?.text(NOT_EMPTY);
  const audiencesNode = fields?.required('audiences', 'list the audiences that a token may be for');
  const audiences = all(audiencesNode, (entry) => entry.text(NOT_EMPTY));
  const jwksFile = fields?.required('jwksFile', "give the file with the issuer's keys")?.text(NOT_EMPTY);
  const clientClaim = fields?.get('clientClaim')?.text(NOT_EMPTY) ?? 'sub';
  const tenantClaim = fields?.get('tenantClaim')?.text(NOT_EMPTY);
  if (audiencesNode?.isList === true && audiencesNode.list()!.length === 0) {
    // a token for anybody else would pass
    audiencesNode.fault(ConfigCode.MISSING_KEY, "'identity.audiences' is empty", {
      fix: 'list the audiences that a token may be for',
    });
  }
  if (issuer === undefined || jwksFile === undefined) return undefined;
  const clockSkewSeconds = fields?.get('clockSkewSeconds')?.number({ min: 0, max: 300 }) ?? DEFAULT_CLOCK_SKEW_SECONDS;
  return { source: 'jwt', issuer, audiences, jwksFile, clientClaim, ...given('tenantClaim', tenantClaim), clockSkewSeconds };
}

export function readAccess(node: ConfigNode | undefined): PolicyAccess | undefined {
  const fields = node?.fields(['clients', 'tenants', 'others']);
  if (fields === undefined) return undefined;
  return {
    clients: readLists(fields.get('clients')),
    tenants: readLists(fields.get('tenants')),
    others: all(fields.get('others'), (entry) => entry.text(MODEL_NAME)),
  };
}

function readLists(node: ConfigNode | undefined): Record<string, string[]> {
  const entries = [...(node?.entries() ?? [])];
  return Object.fromEntries(entries.map(([name, list]) => [name, all(list, (entry) => entry.text(MODEL_NAME))]));
}
