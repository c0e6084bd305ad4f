import { isTimeZone, TIME_ZONE_WORDS } from '../shared/time-zone';
import { ConfigCode } from './codes';
import type { ConfigFields, ConfigNode } from './config-node';
import {
  CALENDAR_PERIODS,
  DEFAULT_REDIS,
  LIMIT_ENFORCERS,
  LIMIT_KEY_SOURCES,
  LIMIT_UNITS,
  type PolicyCalendarWindow,
  type PolicyLimit,
  type PolicyLimitKey,
  type PolicyStore,
} from './picker-policy';
import { all, DNS_LABEL, given, HEADER_NAME, HOST_AND_PORT, MODEL_NAME, NOT_EMPTY } from './policy-forms';

const WINDOW_KEYS = ['windowSeconds', 'calendarWindow'];
const PICKER_KEYS = ['clamp', 'shadow', 'onStoreFailure'];
const LIMIT_KEYS = ['name', 'unit', 'amount', ...WINDOW_KEYS, 'key', 'models', 'weights', ...PICKER_KEYS, 'enforcedBy'];
const TLS_FILES = ['caFile', 'certFile', 'keyFile'];
const STORE_KINDS = ['redis', 'memory'] as const;
const MAX_WINDOW_SECONDS = 366 * 86_400;

export function readLimit(node: ConfigNode): PolicyLimit | undefined {
  const fields = node.fields(LIMIT_KEYS);
  const name = fields?.required('name', 'give the limit a name')?.text(DNS_LABEL);
  const unit = fields?.required('unit', `write unit: ${LIMIT_UNITS.join(', ')}`)?.oneOf(LIMIT_UNITS);
  const amount = fields?.required('amount', `say how many ${unit === 'tokens' ? 'tokens' : 'requests'}`)?.integer({ min: 1 });
  if (fields !== undefined && unit !== undefined) misplacedKeys(node, fields, unit);
  const enforcedBy = fields?.get('enforcedBy')?.oneOf(LIMIT_ENFORCERS);
  if (fields !== undefined && enforcedBy === 'gateway') uncountableByGateway(node, fields, unit);
  const window = fields === undefined || unit === 'concurrent' ? {} : readWindow(node, fields);
  const key = readKey(fields?.required('key', 'say what is counted together'));
  const weights = fields?.get('weights')?.fields(['input', 'output', 'cached']);
  const input = weights?.get('input')?.number({ min: 0, max: 1_000 }) ?? 1;
  const output = weights?.get('output')?.number({ min: 0, max: 1_000 }) ?? 1;
  const cached = weights?.get('cached')?.number({ min: 0, max: 1_000 }) ?? input;
  const models = fields?.get('models');
  const modelNames = models === undefined ? undefined : all(models, (entry) => entry.text(MODEL_NAME));
  if (fields === undefined || name === undefined || unit === undefined || amount === undefined || key === undefined)
    return undefined;
  return {
    name,
    unit,
    amount,
    ...window,
    key,
    ...given('models', modelNames),
    weights: { input, output, cached },
    clamp: fields.get('clamp')?.boolean() ?? false,
    shadow: fields.get('shadow')?.boolean() ?? false,
    onStoreFailure: fields.get('onStoreFailure')?.oneOf(['closed', 'open', 'local']) ?? 'closed',
    ...given('enforcedBy', enforcedBy),
  };
}

function readWindow(node: ConfigNode, fields: ConfigFields): Pick<PolicyLimit, 'windowSeconds' | 'calendarWindow'> {
  const present = fields.present(WINDOW_KEYS);
  if (present.length > 1) {
    const what = `'${node.path}' has two windows`;
    const facts = { value: present.join(', '), allowed: `exactly one of ${WINDOW_KEYS.join(', ')}`, fix: 'keep one' };
    return node.fault(ConfigCode.NOT_EXACTLY_ONE, what, facts) ?? {};
  }
  if (present[0] === 'calendarWindow') return given('calendarWindow', readCalendarWindow(fields.get('calendarWindow')!));
  const fix = 'say in what time, or give calendarWindow';
  return given('windowSeconds', fields.required('windowSeconds', fix)?.integer({ min: 1, max: MAX_WINDOW_SECONDS }));
}

function readCalendarWindow(node: ConfigNode): PolicyCalendarWindow | undefined {
  const fields = node.fields(['period', 'timeZone']);
  const period = fields?.required('period', `write period: ${CALENDAR_PERIODS.join(', ')}`)?.oneOf(CALENDAR_PERIODS);
  const zone = fields?.get('timeZone');
  const timeZone = zone === undefined ? 'UTC' : zone.text(NOT_EMPTY);
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const what = `'${node.path}.timeZone' is no time zone`;
    zone!.fault(ConfigCode.BAD_VALUE, what, { value: timeZone, allowed: TIME_ZONE_WORDS, fix: 'correct the name' });
    return undefined;
  }
  return period === undefined || timeZone === undefined ? undefined : { period, timeZone };
}

/** What would have no effect is refused. */
function misplacedKeys(node: ConfigNode, fields: ConfigFields, unit: PolicyLimit['unit']): void {
  const foreign = unit === 'tokens' ? [] : unit === 'requests' ? ['weights', 'clamp'] : ['weights', 'clamp', ...WINDOW_KEYS];
  for (const key of fields.present(foreign)) {
    const what = `'${node.path}.${key}' means nothing to a limit of unit '${unit}'`;
    fields.get(key)!.fault(ConfigCode.BAD_VALUE, what, { fix: 'remove it' });
  }
}

/** The picker tells a gateway of tokens; what else it does with a limit has no meaning there. */
function uncountableByGateway(node: ConfigNode, fields: ConfigFields, unit: PolicyLimit['unit'] | undefined): void {
  if (unit !== undefined && unit !== 'tokens') {
    const facts = { value: unit, allowed: 'tokens', fix: 'write unit: tokens, or leave enforcedBy out' };
    fields.get('unit')!.fault(ConfigCode.BAD_VALUE, `'${node.path}' cannot be enforced by the gateway`, facts);
  }
  for (const key of fields.present(['calendarWindow', ...PICKER_KEYS])) {
    const what = `'${node.path}.${key}' means nothing to a limit that the gateway enforces`;
    fields.get(key)!.fault(ConfigCode.BAD_VALUE, what, { fix: 'remove it' });
  }
}

function readKey(node: ConfigNode | undefined): PolicyLimitKey | undefined {
  const fields = node?.fields(['source', 'name']);
  const source = fields?.required('source', 'say what is counted together')?.oneOf(LIMIT_KEY_SOURCES);
  const name = fields?.get('name')?.text(source === 'header' ? HEADER_NAME : NOT_EMPTY);
  if (source === undefined) return undefined;
  const isNamed = source === 'claim' || source === 'header';
  if (isNamed !== (fields?.get('name') !== undefined)) {
    const what = isNamed ? `a key of source '${source}' needs a name` : `a key of source '${source}' has no name`;
    node!.fault(isNamed ? ConfigCode.MISSING_KEY : ConfigCode.BAD_VALUE, what, {
      fix: isNamed ? `name the ${source}` : 'remove it',
    });
  }
  return { source, ...given('name', name) };
}

export function readStore(node: ConfigNode | undefined): PolicyStore | undefined {
  const kinds = node?.fields(STORE_KINDS);
  if (node === undefined || kinds === undefined) return undefined;
  const present = kinds.present(STORE_KINDS);
  if (present.length !== 1) {
    const facts = {
      value: present.join(', ') || 'none',
      allowed: `exactly one of ${STORE_KINDS.join(', ')}`,
      fix: 'keep exactly one',
    };
    return node.fault(ConfigCode.NOT_EXACTLY_ONE, `'${node.path}' does not say where limits are counted`, facts);
  }
  const memory = kinds.get('memory');
  if (memory !== undefined) {
    const file = memory.fields(['file'])?.required('file', 'give the file that keeps the counters')?.text(NOT_EMPTY);
    return file === undefined ? undefined : { memory: { file } };
  }
  const redis = kinds.get('redis');
  const fields = redis?.fields([
    'address',
    'tls',
    ...TLS_FILES,
    'username',
    'passwordFile',
    'database',
    'timeoutMs',
    'keyPrefix',
  ]);
  const address = fields?.required('address', 'write host:port')?.text(HOST_AND_PORT);
  if (fields === undefined || address === undefined) return undefined;
  checkTlsFiles(redis!, fields);
  return {
    redis: {
      address,
      tls: fields.get('tls')?.boolean() ?? DEFAULT_REDIS.tls,
      ...given('caFile', fields.get('caFile')?.text(NOT_EMPTY)),
      ...given('certFile', fields.get('certFile')?.text(NOT_EMPTY)),
      ...given('keyFile', fields.get('keyFile')?.text(NOT_EMPTY)),
      ...given('username', fields.get('username')?.text(NOT_EMPTY)),
      ...given('passwordFile', fields.get('passwordFile')?.text(NOT_EMPTY)),
      database: fields.get('database')?.integer({ min: 0, max: 65_535 }) ?? DEFAULT_REDIS.database,
      timeoutMs: fields.get('timeoutMs')?.integer({ min: 1, max: 10_000 }) ?? DEFAULT_REDIS.timeoutMs,
      keyPrefix: fields.get('keyPrefix')?.text() ?? DEFAULT_REDIS.keyPrefix,
    },
  };
}

/** A certificate without its key, and files of a connection in the clear, would have no effect. */
function checkTlsFiles(redis: ConfigNode, fields: ConfigFields): void {
  const present = fields.present(TLS_FILES);
  const isSecure = fields.get('tls')?.plain() === true;
  if (present.length > 0 && !isSecure) {
    const what = `'${redis.path}.${present[0]}' means nothing without tls: true`;
    redis.fault(ConfigCode.BAD_VALUE, what, { fix: 'add tls: true, or remove it' });
  }
  if (present.includes('certFile') !== present.includes('keyFile')) {
    const what = `'${redis.path}' has a certificate or its key, and not both`;
    redis.fault(ConfigCode.MISSING_KEY, what, { value: present.join(', '), fix: 'give certFile and keyFile' });
  }
}
