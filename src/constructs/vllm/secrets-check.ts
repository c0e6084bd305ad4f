import type { Problem } from '../../shared/problem';
import type { VllmBackendProps } from '../vllm-backend-props';

/** Names of variables and flags whose value is a secret by their meaning. */
const SECRET_NAME = /(^|[_-])(api[_-]?key|token|secret|password|passwd|credentials?|private[_-]?key|access[_-]?key([_-]id)?)$/i;
/** Names that match but hold a file name, a number or a switch. */
const HARMLESS_VALUE = /^(|true|false|\d+|\/\S*)$/i;
/** Values that are secrets whatever they are called: OpenAI, Hugging Face, GitHub, AWS, NVIDIA, Google keys, JWTs, PEM. */
const SECRET_VALUE =
  /(\bsk-[\w-]{8,}|\bhf_[A-Za-z0-9]{8,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bAKIA[A-Z0-9]{12,}|\bnvapi-[\w-]{8,}|\bAIza[\w-]{20,}|\beyJ[\w-]{8,}\.[\w-]+\.|-----BEGIN [A-Z ]*PRIVATE KEY)/;

/** Finds secrets that were written into the program; the value itself never appears in the message. */
export function literalSecretProblems(props: VllmBackendProps): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(props.env ?? {})) {
    if ((SECRET_NAME.test(name) && !HARMLESS_VALUE.test(value)) || SECRET_VALUE.test(value)) {
      problems.push(
        problem(`env.${name} holds a secret`, `envSecrets: { ${name}: SecretReference.fromSecretName('my-secret', 'key') }`),
      );
    }
  }
  const args = props.extraArgs ?? [];
  for (const [index, arg] of args.entries()) {
    const [flag = '', inline] = arg.split(/=(.*)/s);
    const value = inline ?? args[index + 1] ?? '';
    const named = flag.startsWith('-') && SECRET_NAME.test(flag) && !value.startsWith('--') && !HARMLESS_VALUE.test(value);
    if (named || SECRET_VALUE.test(arg)) {
      const shown = flag.startsWith('-') ? flag : `argument ${index + 1}`;
      problems.push(
        problem(`extraArgs holds a secret (${shown})`, SECRET_FIXES[flag] ?? 'pass it as a variable, with envSecrets'),
      );
    }
  }
  return problems;
}

const SECRET_FIXES: { readonly [flag: string]: string } = {
  '--api-key': "apiKey: SecretReference.fromSecretName('my-secret', 'api-key')",
  '--hf-token': "ModelSource.huggingFace(id, { token: SecretReference.fromSecretName('my-secret', 'token') })",
};

function problem(what: string, instead: string): Problem {
  return {
    code: 'AIG420',
    what: `${what}, which would stand in plain text in the manifest, in the repository and in etcd`,
    fix: `store it in a Secret and use ${instead}`,
  };
}
