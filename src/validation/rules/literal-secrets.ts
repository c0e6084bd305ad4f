import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, workloads } from './support/workloads';

const TOKEN =
  /^(hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}|xox[bp]-[\w-]{20,})$/;
const SECRET_NAME = /(^|_)(TOKEN|API_?KEY|PASSWORD|PASSWD|SECRET|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY)$/;
const SECRET_FLAG = /^--(api-key|hf-token)(=(.*))?$/s;
// What names the place of a secret is none itself, nor is an answer such as that of ALLOW_EMPTY_PASSWORD.
const PLACE = /^(|\/.*|\$.*|file:.*|true|false|yes|no|on|off|0|1|none)$/i;

/** A secret in a manifest is in version control, in `kubectl describe`, and in every log of the two. */
export const literalSecrets: Rule = {
  code: 'AIG303',
  name: 'literal-secrets',
  title: 'Secrets are not written into manifests',
  severity: 'error',
  check: (index) => [
    ...workloads(index).flatMap(({ podSpec }) =>
      allContainers(podSpec).flatMap((container) => [
        ...container.at('env').items.flatMap(variable),
        ...flags([...container.at('command').items, ...container.at('args').items]),
      ]),
    ),
    ...index
      .ofKind('', 'ConfigMap')
      .flatMap((map) =>
        map.at('data').entries.flatMap(([, field]) => (TOKEN.test(field.text?.trim() ?? '') ? [told(field)] : [])),
      ),
  ],
};

function variable(field: Field): RuleFinding[] {
  const value = field.at('value');
  const name = field.at('name').text ?? '';
  if (value.text === undefined) return [];
  if (TOKEN.test(value.text.trim())) return [told(value)];
  if (!SECRET_NAME.test(name) || PLACE.test(value.text) || isPlaceholder(value.text)) return [];
  return [{ ...told(value, name), severity: 'warning' }];
}

function isPlaceholder(text: string): boolean {
  // vLLM and its clients want a key even where none is checked.
  return /^(EMPTY|empty|dummy|not-needed|none|x+|test|changeme)$/i.test(text);
}

function flags(words: readonly Field[]): RuleFinding[] {
  return words.flatMap((word, index) => {
    const match = SECRET_FLAG.exec(word.text ?? '');
    if (match === null) return [];
    const field = match[2] === undefined ? words[index + 1] : word;
    const value = match[2] === undefined ? field?.text : match[3];
    if (field === undefined || value === undefined || PLACE.test(value) || isPlaceholder(value) || value.startsWith('-'))
      return [];
    return [told(field)];
  });
}

// The value itself is not repeated: findings end up in logs.
function told(field: Field, name?: string): RuleFinding {
  const { value: _, ...rest } = finding(field, `holds a secret in plain text${name === undefined ? '' : ` (${name})`}`, {
    fix: 'put it into a Secret, and refer to it with valueFrom.secretKeyRef',
  });
  return rest;
}
