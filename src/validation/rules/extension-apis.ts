import type { Field, ObjectIndex } from '../object-index';
import { finding, type Rule } from './rule';

const EG = 'gateway.envoyproxy.io';

interface Extension {
  /** Of `extensionApis` in the configuration of Envoy Gateway. */
  readonly flag: string;
  readonly uses: (index: ObjectIndex) => readonly Field[];
}

const EXTENSIONS: readonly Extension[] = [
  { flag: 'enableBackend', uses: (index) => index.ofKind(EG, 'Backend').map((backend) => backend.at('kind')) },
  {
    flag: 'enableEnvoyPatchPolicy',
    uses: (index) => index.ofKind(EG, 'EnvoyPatchPolicy').map((policy) => policy.at('kind')),
  },
  {
    flag: 'enableLua',
    uses: (index) =>
      index
        .ofKind(EG, 'EnvoyExtensionPolicy')
        .map((policy) => policy.at('spec', 'lua'))
        .filter(({ isSet }) => isSet),
  },
];

/** What Envoy Gateway acts upon only where its administrator has switched it on; the objects are accepted by the server all the same. */
export const extensionApis: Rule = {
  code: 'AIG141',
  name: 'extension-apis',
  title: 'What Envoy Gateway has switched off by default is switched on',
  severity: 'hint',
  check: (index) =>
    EXTENSIONS.filter(({ flag }) => !isSwitchedOn(index, flag)).flatMap(({ flag, uses }) =>
      uses(index).map((field) =>
        finding(field, `is read by Envoy Gateway only with extensionApis.${flag}`, {
          fix: `see that the configuration of Envoy Gateway has extensionApis: {${flag}: true}`,
        }),
      ),
    ),
};

function isSwitchedOn(index: ObjectIndex, flag: string): boolean {
  const pattern = new RegExp(String.raw`\b${flag}["']?\s*:\s*true\b`);
  return index.ofKind('', 'ConfigMap').some((map) => map.at('data').entries.some(([, { text }]) => pattern.test(text ?? '')));
}
