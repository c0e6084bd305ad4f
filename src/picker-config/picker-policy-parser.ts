import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { ConfigDocument } from './config-document';
import type { ConfigFields, ConfigNode } from './config-node';
import {
  DEFAULT_POOL_GROUP,
  EXPERIMENTAL_POOL_GROUP,
  type PickerPolicy,
  POLICY_API_VERSION,
  POLICY_KIND,
  type PolicyClasses,
  type PolicyModel,
  type PolicyPool,
  type PolicyStickiness,
  type PolicyTarget,
  type PoolEndpoints,
  STICKINESS_SOURCES,
} from './picker-policy';
import { checkPolicy } from './picker-policy-checks';
import { all, DNS_LABEL, given, HEADER_NAME, HOST, MODEL_NAME, NOT_EMPTY, textMap } from './policy-forms';
import { readAccess, readIdentity } from './policy-identity-parser';
import { readLimit, readStore } from './policy-limits-parser';
import { PRIORITY_BOUNDS, readPriorities } from './policy-priorities-parser';

/** What a parse gives: the policy, or every reason why there is none. */
export interface ParsedPickerPolicy {
  /** Undefined when there are problems. */
  readonly policy: PickerPolicy | undefined;
  readonly problems: readonly Problem[];
  /** `file:line:column` of a top-level section; of the start of the file when it is not there. */
  locate(section: string): string;
}

const SECTIONS = ['pools', 'models', 'defaultModel', 'classes', 'identity', 'access', 'limits', 'store', 'priorities'];
const ENDPOINT_KINDS = ['inferencePool', 'selector', 'dns', 'file'] as const;
/** Ports of one endpoint, as InferencePool allows them. */
const MAX_PORTS = 8;
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
  return {
    pools: all(fields.get('pools'), readPool),
    models: all(fields.get('models'), readModel),
    ...given('defaultModel', fields.get('defaultModel')?.text(MODEL_NAME)),
    ...given('classes', readClasses(fields.get('classes'))),
    ...given('identity', readIdentity(fields.get('identity'))),
    ...given('access', readAccess(fields.get('access'))),
    limits: all(fields.get('limits'), readLimit),
    ...given('store', readStore(fields.get('store'))),
    ...given('priorities', readPriorities(fields.get('priorities'))),
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
  const fields = node.fields(['name', 'aliases', 'targets', 'priority', 'adapters', 'fallbackPool', 'stickiness']);
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
    priority: fields.get('priority')?.integer(PRIORITY_BOUNDS) ?? 0,
    adapters: all(fields.get('adapters'), (entry) => {
      const inner = entry.fields(['name', 'model']);
      const adapter = inner?.required('name', 'give the adapter a name')?.text(MODEL_NAME);
      return adapter === undefined ? undefined : { name: adapter, ...given('model', inner?.get('model')?.text(MODEL_NAME)) };
    }),
    ...given('fallbackPool', fields.get('fallbackPool')?.text()),
    ...given('stickiness', readStickiness(fields.get('stickiness'))),
  };
}

function readStickiness(node: ConfigNode | undefined): PolicyStickiness | undefined {
  const fields = node?.fields(['source', 'name']);
  const source = fields?.required('source', 'say what tells sessions apart')?.oneOf(STICKINESS_SOURCES);
  if (fields === undefined || source === undefined) return undefined;
  if (source === 'header') {
    const name = fields.required('name', 'name the header')?.text(HEADER_NAME);
    return name === undefined ? undefined : { source, name };
  }
  fields.get('name')?.fault(ConfigCode.BAD_VALUE, "stickiness of source 'client' has no name", { fix: 'remove it' });
  return { source };
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
