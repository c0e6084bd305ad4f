import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { ConfigDocument } from './config-document';
import type { ConfigFields, ConfigNode, TextForm } from './config-node';
import {
  DEFAULT_BAND,
  DEFAULT_CLIENT_HEADER,
  DEFAULT_POOL_GROUP,
  DEFAULT_REDIS,
  DEFAULT_TENANT_HEADER,
  EXPERIMENTAL_POOL_GROUP,
  LIMIT_KEY_SOURCES,
  type PickerPolicy,
  POLICY_API_VERSION,
  POLICY_KIND,
  type PolicyBand,
  type PolicyClasses,
  type PolicyIdentity,
  type PolicyLimit,
  type PolicyModel,
  type PolicyPool,
  type PolicyStore,
  type PolicyTarget,
  type PoolEndpoints,
} from './picker-policy';
import { checkPolicy } from './picker-policy-checks';

/** What a parse gives: the policy, or every reason why there is none. */
export interface ParsedPickerPolicy {
  /** Undefined when there are problems. */
  readonly policy: PickerPolicy | undefined;
  readonly problems: readonly Problem[];
  /** `file:line:column` of a top-level section; of the start of the file when it is not there. */
  locate(section: string): string;
}

const DNS_LABEL: TextForm = {
  pattern: /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
  words: 'a DNS label (a-z, 0-9 and -; at most 63)',
};
const MODEL_NAME: TextForm = { pattern: /^[\x21-\x7e]{1,256}$/, words: '1 to 256 printable ASCII characters without spaces' };
/** RFC 9110, 5.6.2, in the lower case of HTTP/2. */
const HEADER_NAME: TextForm = { pattern: /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, words: 'a header name in lower case' };
const NOT_EMPTY: TextForm = { pattern: /\S/, words: 'a text that is not empty' };
const HOST: TextForm = { pattern: /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?\.?$/, words: 'a host name' };
const HOST_AND_PORT: TextForm = { pattern: /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9_.-]+):\d{1,5}$/, words: 'host:port' };

const SECTIONS = ['pools', 'models', 'defaultModel', 'classes', 'identity', 'limits', 'store', 'priorities'];
const ENDPOINT_KINDS = ['inferencePool', 'selector', 'dns', 'file'] as const;
/** Ports of one endpoint, as InferencePool allows them. */
const MAX_PORTS = 8;
const MAX_WINDOW_SECONDS = 366 * 86_400;

/**
 * Parses a PickerPolicy, YAML or JSON, strictly: unknown keys, names that occur twice, references to nothing, partial weights, circles of
 * fallbacks and limits on an unverified identity are faults.
 * @param file name for positions
 */
export function parsePickerPolicy(text: string, file: string): ParsedPickerPolicy {
  const document = new ConfigDocument(text, file);
  const places = new Map<string, string>();
  if (document.root !== undefined) document.root.locate(places);
  const locate = (path: string): string => places.get(path) ?? `${file}:1:1`;
  const policy = document.root === undefined ? undefined : readPolicy(document.root);
  const problems = [...document.problems];
  // cross checks of half a policy would only repeat what is known
  if (policy !== undefined && problems.length === 0) problems.push(...checkPolicy(policy, locate));
  return { policy: problems.length === 0 ? policy : undefined, problems, locate };
}

function readPolicy(root: ConfigNode): PickerPolicy | undefined {
  const fields = root.fields(['apiVersion', 'kind', ...SECTIONS]);
  if (fields === undefined) return undefined;
  expectText(fields, 'apiVersion', POLICY_API_VERSION);
  expectText(fields, 'kind', POLICY_KIND);
  const priorities = fields.get('priorities')?.fields(['bands']);
  return {
    pools: all(fields.get('pools'), readPool),
    models: all(fields.get('models'), readModel),
    ...given('defaultModel', fields.get('defaultModel')?.text(MODEL_NAME)),
    ...given('classes', readClasses(fields.get('classes'))),
    ...given('identity', readIdentity(fields.get('identity'))),
    limits: all(fields.get('limits'), readLimit),
    ...given('store', readStore(fields.get('store'))),
    ...given('priorities', priorities === undefined ? undefined : { bands: all(priorities.get('bands'), readBand) }),
  };
}

function expectText(fields: ConfigFields, key: string, expected: string): void {
  const node = fields.required(key, `write ${key}: ${expected}`);
  const value = node?.text();
  if (value === undefined || value === expected) return;
  const fix = value === 'EndpointPickerConfig' ? 'give this file with --config-file' : `write ${key}: ${expected}`;
  node!.fault(ConfigCode.WRONG_KIND, `this ${key} is not supported`, { value, allowed: expected, fix });
}

function readPool(node: ConfigNode): PolicyPool | undefined {
  const fields = node.fields(['name', 'endpoints', 'fallbackPool']);
  const name = fields?.required('name', 'give the pool a name')?.text(DNS_LABEL);
  const endpoints = readEndpoints(fields?.required('endpoints', `give one of ${ENDPOINT_KINDS.join(', ')}`));
  const fallbackPool = fields?.get('fallbackPool')?.text();
  return name === undefined || endpoints === undefined ? undefined : { name, endpoints, ...given('fallbackPool', fallbackPool) };
}

function readEndpoints(node: ConfigNode | undefined): PoolEndpoints | undefined {
  const fields = node?.fields(ENDPOINT_KINDS);
  if (node === undefined || fields === undefined) return undefined;
  const present = fields.present(ENDPOINT_KINDS);
  if (present.length !== 1) {
    const facts = {
      value: present.join(', ') || 'none',
      allowed: `exactly one of ${ENDPOINT_KINDS.join(', ')}`,
      fix: 'keep exactly one',
    };
    return node.fault(ConfigCode.NOT_EXACTLY_ONE, `'${node.path}' does not say where the endpoints come from`, facts);
  }
  const kind = present[0] as PoolEndpoints['kind'];
  const inner = fields.get(kind)!;
  switch (kind) {
    case 'inferencePool': {
      const pool = inner.fields(['name', 'namespace', 'group']);
      const name = pool?.required('name', 'name the InferencePool')?.text(DNS_LABEL);
      const namespace = pool?.get('namespace')?.text(DNS_LABEL);
      const group = pool?.get('group')?.oneOf([DEFAULT_POOL_GROUP, EXPERIMENTAL_POOL_GROUP]) ?? DEFAULT_POOL_GROUP;
      return name === undefined ? undefined : { kind, name, ...given('namespace', namespace), group };
    }
    case 'selector': {
      const selector = inner.fields(['matchLabels', 'ports', 'namespace']);
      const matchLabels = textMap(selector?.required('matchLabels', 'give the labels of the pods'));
      const ports = readPorts(selector);
      const namespace = selector?.get('namespace')?.text(DNS_LABEL);
      return matchLabels === undefined || ports === undefined
        ? undefined
        : { kind, matchLabels, ports, ...given('namespace', namespace) };
    }
    case 'dns': {
      const dns = inner.fields(['host', 'ports']);
      const host = dns?.required('host', 'give the host name, for example of a headless Service')?.text(HOST);
      const ports = readPorts(dns);
      return host === undefined || ports === undefined ? undefined : { kind, host, ports };
    }
    case 'file': {
      const path = inner.fields(['path'])?.required('path', 'give the path of the endpoints file')?.text(NOT_EMPTY);
      return path === undefined ? undefined : { kind, path };
    }
  }
}

function readPorts(fields: ConfigFields | undefined): number[] | undefined {
  const node = fields?.required('ports', 'list the ports of an endpoint');
  const entries = node?.list();
  const ports = entries?.map((entry) => entry.integer({ min: 1, max: 65_535 })).filter((port) => port !== undefined);
  // an entry that is no port is reported by itself
  if (ports === undefined || ports.length < entries!.length) return undefined;
  if (ports.length >= 1 && ports.length <= MAX_PORTS && new Set(ports).size === ports.length) return ports;
  const facts = { value: ports.join(', ') || 'none', allowed: `1 to ${MAX_PORTS} different ports`, fix: 'correct the list' };
  return node!.fault(ConfigCode.BAD_VALUE, `'${node!.path}' has a wrong value`, facts);
}

function readModel(node: ConfigNode): PolicyModel | undefined {
  const fields = node.fields(['name', 'aliases', 'targets', 'priority', 'adapters', 'fallbackPool']);
  const name = fields?.required('name', 'give the model a name')?.text(MODEL_NAME);
  const targetsNode = fields?.required('targets', 'list at least one target with its pool');
  const targets = targetsNode === undefined ? [] : all(targetsNode, readTarget);
  if (targetsNode?.isList === true && targetsNode.list()!.length === 0) {
    targetsNode.fault(ConfigCode.MISSING_KEY, `'${targetsNode.path}' is empty`, {
      fix: 'list at least one target with its pool',
    });
  }
  if (fields === undefined || name === undefined) return undefined;
  return {
    name,
    aliases: all(fields.get('aliases'), (entry) => entry.text(MODEL_NAME)),
    targets,
    priority: fields.get('priority')?.integer({ min: -2_147_483_648, max: 2_147_483_647 }) ?? 0,
    adapters: all(fields.get('adapters'), (entry) => {
      const inner = entry.fields(['name', 'model']);
      const adapter = inner?.required('name', 'give the adapter a name')?.text(MODEL_NAME);
      return adapter === undefined ? undefined : { name: adapter, ...given('model', inner?.get('model')?.text(MODEL_NAME)) };
    }),
    ...given('fallbackPool', fields.get('fallbackPool')?.text()),
  };
}

function readTarget(node: ConfigNode): PolicyTarget | undefined {
  const fields = node.fields(['pool', 'model', 'weight']);
  const pool = fields?.required('pool', 'name the pool of the target')?.text();
  if (fields === undefined || pool === undefined) return undefined;
  const weight = fields.get('weight')?.integer({ min: 0, max: 1_000_000 });
  return { pool, ...given('model', fields.get('model')?.text(MODEL_NAME)), ...given('weight', weight) };
}

function readClasses(node: ConfigNode | undefined): PolicyClasses | undefined {
  const fields = node?.fields(['header', 'values']);
  const header = fields?.required('header', 'name the header')?.text(HEADER_NAME);
  const values = textMap(fields?.required('values', 'map header values to model names'));
  return header === undefined || values === undefined ? undefined : { header, values };
}

function readIdentity(node: ConfigNode | undefined): PolicyIdentity | undefined {
  // the source decides which keys there may be, so it is read before the rest is checked
  const source = node?.entries()?.get('source');
  if (node === undefined) return undefined;
  if (source === undefined) {
    return node.fault(ConfigCode.MISSING_KEY, "'identity.source' is missing", { fix: 'say who verifies the clients' });
  }
  switch (source.oneOf(['header', 'metadata', 'apiKeys', 'jwt'])) {
    case 'header': {
      const fields = node.fields(['source', 'clientHeader', 'tenantHeader']);
      const clientHeader = fields?.get('clientHeader')?.text(HEADER_NAME) ?? DEFAULT_CLIENT_HEADER;
      return {
        source: 'header',
        clientHeader,
        tenantHeader: fields?.get('tenantHeader')?.text(HEADER_NAME) ?? DEFAULT_TENANT_HEADER,
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
  const fields = node.fields(['source', 'issuer', 'audiences', 'jwksFile', 'clientClaim', 'tenantClaim']);
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
  return { source: 'jwt', issuer, audiences, jwksFile, clientClaim, ...given('tenantClaim', tenantClaim) };
}

function readLimit(node: ConfigNode): PolicyLimit | undefined {
  const fields = node.fields(['name', 'unit', 'amount', 'windowSeconds', 'key', 'models', 'weights', 'shadow', 'onStoreFailure']);
  const name = fields?.required('name', 'give the limit a name')?.text(DNS_LABEL);
  const unit = fields?.required('unit', 'write unit: tokens')?.oneOf(['tokens']);
  const amount = fields?.required('amount', 'say how many tokens')?.integer({ min: 1 });
  const windowSeconds = fields?.required('windowSeconds', 'say in what time')?.integer({ min: 1, max: MAX_WINDOW_SECONDS });
  const keyNode = fields?.required('key', 'say what is counted together');
  const keyFields = keyNode?.fields(['source', 'name']);
  const source = keyFields?.required('source', 'say what is counted together')?.oneOf(LIMIT_KEY_SOURCES);
  const keyName = keyFields?.get('name')?.text(source === 'header' ? HEADER_NAME : NOT_EMPTY);
  const isNamed = source === 'claim' || source === 'header';
  if (source !== undefined && isNamed !== (keyFields?.get('name') !== undefined)) {
    const what = isNamed ? `a key of source '${source}' needs a name` : `a key of source '${source}' has no name`;
    keyNode!.fault(isNamed ? ConfigCode.MISSING_KEY : ConfigCode.BAD_VALUE, what, {
      fix: isNamed ? `name the ${source}` : 'remove it',
    });
  }
  const weights = fields?.get('weights')?.fields(['input', 'output', 'cached']);
  const input = weights?.get('input')?.number({ min: 0, max: 1_000 }) ?? 1;
  const output = weights?.get('output')?.number({ min: 0, max: 1_000 }) ?? 1;
  const cached = weights?.get('cached')?.number({ min: 0, max: 1_000 }) ?? input;
  const models = fields?.get('models');
  const modelNames = models === undefined ? undefined : all(models, (entry) => entry.text(MODEL_NAME));
  if (fields === undefined || name === undefined || unit === undefined || source === undefined) return undefined;
  if (amount === undefined || windowSeconds === undefined) return undefined;
  return {
    name,
    unit,
    amount,
    windowSeconds,
    key: { source, ...given('name', keyName) },
    ...given('models', modelNames),
    weights: { input, output, cached },
    shadow: fields.get('shadow')?.boolean() ?? false,
    onStoreFailure: fields.get('onStoreFailure')?.oneOf(['closed', 'open', 'local']) ?? 'closed',
  };
}

function readStore(node: ConfigNode | undefined): PolicyStore | undefined {
  const redis = node?.fields(['redis'])?.required('redis', 'give the address of Redis or Valkey');
  const fields = redis?.fields(['address', 'tls', 'username', 'passwordFile', 'database', 'timeoutMs', 'keyPrefix']);
  const address = fields?.required('address', 'write host:port')?.text(HOST_AND_PORT);
  if (fields === undefined || address === undefined) return undefined;
  return {
    redis: {
      address,
      tls: fields.get('tls')?.boolean() ?? DEFAULT_REDIS.tls,
      ...given('username', fields.get('username')?.text(NOT_EMPTY)),
      ...given('passwordFile', fields.get('passwordFile')?.text(NOT_EMPTY)),
      database: fields.get('database')?.integer({ min: 0, max: 65_535 }) ?? DEFAULT_REDIS.database,
      timeoutMs: fields.get('timeoutMs')?.integer({ min: 1, max: 10_000 }) ?? DEFAULT_REDIS.timeoutMs,
      keyPrefix: fields.get('keyPrefix')?.text() ?? DEFAULT_REDIS.keyPrefix,
    },
  };
}

function readBand(node: ConfigNode): PolicyBand | undefined {
  const fields = node.fields(['name', 'priority', 'maxRequests', 'maxBytes', 'queueSeconds']);
  const name = fields?.required('name', 'give the band a name')?.text(DNS_LABEL);
  const priority = fields?.required('priority', 'say which priority it is for')?.integer();
  if (fields === undefined || name === undefined || priority === undefined) return undefined;
  return {
    name,
    priority,
    maxRequests: fields.get('maxRequests')?.quantity() ?? DEFAULT_BAND.maxRequests,
    maxBytes: fields.get('maxBytes')?.quantity() ?? DEFAULT_BAND.maxBytes,
    queueSeconds: fields.get('queueSeconds')?.number({ min: 0 }) ?? DEFAULT_BAND.queueSeconds,
  };
}

/** The entries of a list that could be read; none when there is no list. */
function all<T>(node: ConfigNode | undefined, read: (entry: ConfigNode) => T | undefined): T[] {
  return (node?.list() ?? []).map(read).filter((value) => value !== undefined) as T[];
}

function textMap(node: ConfigNode | undefined): Record<string, string> | undefined {
  const entries = node?.entries();
  if (node === undefined || entries === undefined) return undefined;
  if (entries.size === 0)
    return node.fault(ConfigCode.MISSING_KEY, `'${node.path}' is empty`, { fix: 'give at least one entry' });
  const texts = [...entries].map(([key, value]) => [key, value.text()] as const);
  return texts.every(([, value]) => value !== undefined) ? (Object.fromEntries(texts) as Record<string, string>) : undefined;
}

/** `{[key]: value}`, or nothing when the value is undefined. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
