import type { KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

const MAX_BYTES = 1024 * 1024;
const KEY = /^[-._a-zA-Z0-9]+$/;
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
]);

/** core/v1 ValidateConfigMap and ValidateSecret. */
export const configData: Rule = {
  code: 'AIG050',
  name: 'config-data',
  title: 'ConfigMaps and Secrets have usable keys and at most 1 MiB',
  severity: 'error',
  isAdmission: true,
  check: (index) => [...index.ofKind('', 'ConfigMap').flatMap(configMap), ...index.ofKind('', 'Secret').flatMap(secret)],
};

function configMap(object: KubeObject): RuleFinding[] {
  const text = object.at('data').entries;
  const binary = object.at('binaryData').entries;
  const keys = new Set(text.map(([key]) => key));
  const sizeBytes =
    text.reduce((sum, [, { text: value }]) => sum + Buffer.byteLength(value ?? ''), 0) +
    binary.reduce((sum, [, { text: value }]) => sum + decodedBytes(value ?? ''), 0);
  return [
    ...keyFindings(object, 'data'),
    ...keyFindings(object, 'binaryData'),
    ...binary.flatMap(([key, field]) =>
      keys.has(key) ? [finding(field, `stands in data as well`, { fix: 'keep one of the two' })] : [],
    ),
    ...tooLarge(object, sizeBytes),
  ];
}

function secret(object: KubeObject): RuleFinding[] {
  const type = object.at('type').text ?? '';
  const given = new Set(['data', 'stringData'].flatMap((section) => object.at(section).entries.map(([key]) => key)));
  const sizeBytes =
    object.at('data').entries.reduce((sum, [, { text: value }]) => sum + decodedBytes(value ?? ''), 0) +
    object.at('stringData').entries.reduce((sum, [, { text: value }]) => sum + Buffer.byteLength(value ?? ''), 0);
  const missing = (REQUIRED.get(type) ?? []).filter((key) => !given.has(key));
  return [
    ...keyFindings(object, 'data'),
    ...keyFindings(object, 'stringData'),
    ...tooLarge(object, sizeBytes),
    ...missing.map((key) =>
      finding(object.at('data').at(key), `is missing in a Secret of type ${type}`, { fix: `add ${key}, or leave the type out` }),
    ),
  ];
}

function keyFindings(object: KubeObject, section: string): RuleFinding[] {
  return object.at(section).entries.flatMap(([key, field]) => {
    if (KEY.test(key) && key.length <= 253 && key !== '.' && !key.startsWith('..')) return [];
    return [
      finding(field, 'has a key that cannot be one', {
        allowed: "letters, digits, '-', '_' and '.', at most 253 characters, not '.' and not beginning with '..'",
        fix: 'choose another key',
      }),
    ];
  });
}

function tooLarge(object: KubeObject, sizeBytes: number): RuleFinding[] {
  if (sizeBytes <= MAX_BYTES) return [];
  return [
    {
      field: object.root,
      what: `the ${object.kind} holds ${sizeBytes} bytes`,
      allowed: `at most ${MAX_BYTES} bytes`,
      fix: 'split it, or mount a volume',
    },
  ];
}

function decodedBytes(base64: string): number {
  return Math.floor((base64.replace(/[\s=]/g, '').length * 3) / 4);
}
