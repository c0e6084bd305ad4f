import { parseArgs } from 'node:util';
import type { Problem } from '../../shared/problem';

export type ExplainOptions = ExplainRequestOptions | ExplainPickerOptions;

/** Explain a request by manifests. */
export interface ExplainRequestOptions {
  readonly kind: 'request';
  /** As `up` takes them. */
  readonly sources: readonly string[];
  /** File with the body; `-` for standard input. */
  readonly request: string;
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Who the request is from, as verified. */
  readonly client: string | undefined;
  readonly tenant: string | undefined;
  /** File with what the endpoints are doing. @default all are idle */
  readonly endpointState: string | undefined;
  /** Of chance: weights and ties. */
  readonly seed: number;
  readonly json: boolean;
}

/** Explain a decision of a picker that runs. */
export interface ExplainPickerOptions {
  readonly kind: 'picker';
  /** Address of its debug pages. */
  readonly picker: URL;
  /** `x-request-id` of the request, or the decision's number. @default the newest */
  readonly requestId: string | undefined;
  readonly json: boolean;
}

export const EXPLAIN_USAGE = `cdk8s-ai-gateway explain --request BODY.json [options] [APP.js | FILE | FOLDER …]
cdk8s-ai-gateway explain --picker URL [--request-id ID] [--json]

Says rule by rule why a request goes where it goes. The first form asks manifests, with the picker's own model resolution and scheduler;
without a source it runs the app that cdk8s.yaml names. The second form asks the debug pages of a picker that runs.

  --request FILE          body of the request; - for standard input
  --path PATH             path of the request (/v1/chat/completions)
  --method METHOD         its method (POST)
  --header NAME=VALUE     a header of the request; may be repeated
  --client NAME           who the request is from, once verified; --tenant NAME
  --endpoint-state FILE   what the endpoints are doing (all are idle); the answer of /debug/endpoints is such a file
  --seed N                of chance: weights and ties (1)
  --picker URL            debug pages of a picker, for example http://127.0.0.1:9091 behind kubectl port-forward
  --request-id ID         x-request-id of the request, or the number of the decision (the newest)
  --json                  one JSON object instead of text
`;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Flags to options, or everything that is wrong with them. */
export function explainOptions(args: readonly string[]): ExplainOptions | 'help' | readonly Problem[] {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return [{ code: 'AIG600', what: (error as Error).message, fix: 'cdk8s-ai-gateway explain --help lists the flags' }];
  }
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const problems: Problem[] = [];
  const refuse = (what: string, fix: string, facts: Pick<Problem, 'value' | 'allowed'> = {}): void => {
    problems.push({ code: 'AIG600', what, ...facts, fix });
  };
  if ((values.request === undefined) === (values.picker === undefined)) {
    refuse('explain needs one of --request and --picker', 'give the body of a request, or the address of a picker');
  }
  if (values.picker !== undefined) {
    const given = Object.keys(values).filter((flag) => !['picker', 'request-id', 'json', 'request'].includes(flag));
    for (const flag of given) refuse(`--${flag} says nothing about a picker that runs`, 'remove it, or explain with --request');
    if (positionals.length > 0)
      refuse('manifests say nothing about a picker that runs', 'remove them', { value: positionals[0] });
    const url = URL.canParse(values.picker) ? new URL(values.picker) : undefined;
    if (url?.protocol !== 'http:') {
      const facts = { value: values.picker, allowed: 'http://host:port' };
      refuse('--picker has a wrong value', 'give the address of its debug pages', facts);
    }
    if (problems.length > 0 || url === undefined) return problems;
    return { kind: 'picker', picker: url, requestId: values['request-id'], json: values.json === true };
  }
  if (values['request-id'] !== undefined) refuse('--request-id needs --picker', 'remove it: manifests have seen no request');
  const headers = (values.header ?? []).flatMap((text): [string, string][] => {
    const at = text.indexOf('=');
    if (at > 0 && TOKEN.test(text.slice(0, at))) return [[text.slice(0, at).toLowerCase(), text.slice(at + 1)]];
    refuse('--header has a wrong value', 'write the name, =, and the value', { value: text, allowed: 'name=value' });
    return [];
  });
  const path = values.path ?? '/v1/chat/completions';
  if (!path.startsWith('/')) refuse('--path has a wrong value', 'begin it with a slash', { value: path, allowed: '/…' });
  const method = values.method ?? 'POST';
  if (!TOKEN.test(method))
    refuse('--method has a wrong value', 'give for example GET', { value: method, allowed: 'a method of HTTP' });
  const seed = Number(values.seed ?? 1);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    refuse('--seed has a wrong value', 'correct the value', { value: values.seed, allowed: 'a whole number, 0 or more' });
  }
  if (problems.length > 0) return problems;
  return {
    kind: 'request',
    sources: positionals,
    request: values.request!,
    method,
    path,
    headers,
    client: values.client,
    tenant: values.tenant,
    endpointState: values['endpoint-state'],
    seed,
    json: values.json === true,
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      request: { type: 'string' },
      path: { type: 'string' },
      method: { type: 'string' },
      header: { type: 'string', multiple: true },
      client: { type: 'string' },
      tenant: { type: 'string' },
      'endpoint-state': { type: 'string' },
      seed: { type: 'string' },
      picker: { type: 'string' },
      'request-id': { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
