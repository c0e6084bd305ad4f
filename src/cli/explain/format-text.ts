import type { DecisionStep, LimitStep, ModelRule, ModelStep, RequestExplanation } from '../../picker/explain/explanation';
import type { PickerPolicy, PolicyIdentity } from '../../picker-config/picker-policy';
import { limitText } from '../up/limit-text';
import type { RouteMatch } from '../up/plan/route-plans';
import { chosenLine, endpointLines } from './format-endpoints';
import type { GatewayStep } from './gateway-step';
import type { LiveDecision } from './live-picker';

export interface Explained extends Partial<RequestExplanation> {
  readonly gateway: GatewayStep;
}

/** What the lines need beside the explanation. */
export interface Surroundings {
  readonly policy: PickerPolicy | undefined;
  readonly seed: number;
  /** Undefined where it is not given. */
  readonly client: string | undefined;
  /** True when nothing is known of the endpoints, so all are taken to be idle. */
  readonly isIdle: boolean;
  /** Value of the policy's class header. */
  readonly classValue: string | undefined;
}

/** The explanation for a terminal: one heading for each part that is asked, in order. */
export function explanationText(
  { gateway, request, model, limits, queue, scheduling, decision }: Explained,
  around: Surroundings,
): string {
  const { seed, policy } = around;
  const sections = [
    section('Gateway', gatewayLines(gateway, seed)),
    ...(request === undefined ? [] : [section('Request', [requestLine(request)])]),
    ...(policy?.identity === undefined ? [] : [section('Client', [clientLine(policy.identity, around.client)])]),
    ...(model === undefined ? [] : [section('Model', modelLines(model, request?.model, around))]),
    ...(limits === undefined || model === undefined ? [] : [section('Limits', limitLines(limits))]),
  ];
  if (queue !== undefined) sections.push(section('Queue', queueLines(queue)));
  if (scheduling !== undefined) {
    const idle = around.isIdle ? ['no --endpoint-state: every endpoint is taken to be idle'] : [];
    const lines = [...idle, ...endpointLines(scheduling.endpoints, `chance (seed ${seed})`)];
    sections.push(section(`Endpoints of pool ${scheduling.pool}, profile ${scheduling.profile}`, lines));
  }
  if (decision !== undefined) sections.push(section('Decision', decisionLines(decision, scheduling)));
  return `${sections.join('\n\n')}\n`;
}

/** The same for a decision of a picker that runs. */
export function liveText(decision: LiveDecision): string {
  const { at, id, requestId, model, rule, targetModel, result, explanation } = decision;
  const sections = [
    section('Request', [`decision ${id} of ${at}${requestId === undefined ? '' : `, x-request-id ${requestId}`}`]),
    section('Model', [
      ...(rule === undefined ? ['none was found'] : [`'${model}': ${RULES[rule]}`]),
      ...(targetModel === model || rule === undefined ? [] : [`the engine is asked for '${targetModel}'`]),
    ]),
  ];
  if (explanation !== undefined) {
    const profile = explanation[0] === undefined ? '' : `, profile ${explanation[0].profile}`;
    sections.push(section(`Endpoints${profile}`, endpointLines(explanation, 'chance')));
  }
  const chosen = explanation === undefined ? '' : chosenLine(explanation);
  const lines = [chosen === '' ? result : chosen];
  if (explanation === undefined && result.includes(':')) {
    lines.push('why is not known: explanations are on for the next minute, for some of the decisions; send the request again');
  }
  return `${[...sections, section('Decision', lines)].join('\n\n')}\n`;
}

const RULES: Readonly<Record<ModelRule, string>> = {
  'class-header': 'the class header says so, which goes before the body',
  body: "the body's model",
  'default-model': 'the default, for requests whose model is not known',
  'rewrite-rule': 'an InferenceModelRewrite of the pool',
  'rewrite-header': 'a rewrite header of the gateway',
  'as-asked': 'as the request has it: the pool serves whatever it is asked for',
};

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

function gatewayLines({ kind, rules, chances, pool, picker }: GatewayStep, seed: number): string[] {
  if (kind === 'sidecar') return [`the proxy asks its picker ${picker} about every request`];
  const lines = rules.map(({ match, mismatch }) => `${matchText(match)}: ${mismatch ?? 'matches'}`);
  if (picker === undefined) return [...lines, 'no rule matches: the gateway answers 404'];
  if (chances.length > 0) lines.push(`${chancesText(chances)}: ${pool} by chance (seed ${seed})`);
  return [...lines, `the picker of ${pool} is asked: ${picker}`];
}

function matchText({ pathType, path, method, headers }: RouteMatch): string {
  return [
    `${pathType} ${path}`,
    ...(method === undefined ? [] : [method]),
    ...headers.map(({ name, value, isExpression }) => `${name} ${isExpression ? '~' : '='} ${value}`),
  ].join(', ');
}

function requestLine(request: RequestExplanation['request']): string {
  const { method, path, isReadable, model, promptTokens, maxTokens, stream } = request;
  if (!isReadable) return `${method} ${path}: the body cannot be read`;
  const facts = [
    `model ${model === undefined ? 'none' : `'${model}'`}`,
    `about ${promptTokens} prompt tokens`,
    maxTokens === -1 ? 'no limit on the answer' : `at most ${maxTokens} tokens of answer`,
    ...(stream ? ['a stream'] : []),
  ];
  return `${method} ${path}: ${facts.join(', ')}`;
}

function modelLines(step: ModelStep, asked: string | undefined, { policy, seed, classValue }: Surroundings): string[] {
  const { rule, name, chances, session, pools } = step;
  const isClass = rule === 'class-header' && policy?.classes !== undefined;
  const why = isClass ? `${policy.classes.header} is '${classValue}', which goes before the body` : RULES[rule];
  const alias = rule === 'body' && asked !== undefined && asked !== name ? `, where '${asked}' is another name of it` : '';
  const lines = [`'${name}': ${why}${alias}`];
  const by =
    session === undefined
      ? `by chance (seed ${seed})`
      : `for every request ${session.source === 'client' ? 'of this client' : `with this ${session.name}`}`;
  if (chances.length > 0) lines.push(`${chancesText(chances)}: ${pools[0]!.pool} ${by}`);
  const last = pools.findIndex(({ isTaken }) => isTaken);
  for (const { pool, targetModel, readyEndpoints, isTaken } of pools.slice(0, last + 1)) {
    const ready = `${readyEndpoints} ready endpoint${readyEndpoints === 1 ? '' : 's'}`;
    const served = targetModel === asked ? '' : `, asked for '${targetModel}'`;
    lines.push(`pool ${pool}: ${ready}${isTaken ? served : ', so the next one is tried'}`);
  }
  const spare = pools.slice(last + 1).map(({ pool }) => pool);
  if (spare.length > 0) lines.push(`without a ready endpoint there: ${spare.join(', then ')}`);
  return lines;
}

/** What the picker asks of a client before anything else. */
const IDENTITIES: Readonly<Record<PolicyIdentity['source'], string>> = {
  apiKeys: 'verified by its API key, which the picker asks for: without a known one the answer is 401',
  header: 'as the gateway has verified it, in a header that clients cannot set',
  metadata: 'as the gateway has verified it, in metadata',
  jwt: 'verified by its token',
};

function clientLine({ source }: PolicyIdentity, client: string | undefined): string {
  return `${client === undefined ? 'some client (--client names it)' : `'${client}'`}, ${IDENTITIES[source]}`;
}

function limitLines(limits: readonly LimitStep[]): string[] {
  if (limits.length === 0) return ['none'];
  return limits.map((step) => {
    const { name, unit, amount, keySource, key, applies, charge, shadow } = step;
    const limit = `${name}: ${limitText(step)}${keySource === 'all' ? '' : ` for each ${keySource}`}`;
    if (!applies) return `${limit}: not for this model`;
    const verb = charge > amount ? 'can never fit' : 'sets aside';
    return `${limit}: ${verb} ${unit === 'tokens' ? 'about ' : ''}${charge}${key === '' ? '' : ` of '${key}'`}${shadow ? ', and lets everything pass' : ''}`;
  });
}

function queueLines(queue: NonNullable<RequestExplanation['queue']>): string[] {
  const { band, priority, saturationRatio, ceilingRatio, busyCeilingRatio, goesOn, queueSeconds } = queue;
  const busy = busyCeilingRatio < ceilingRatio ? `, from ${busyCeilingRatio} while a higher band is in use` : '';
  const longest = queueSeconds === null ? '' : `, for at most ${queueSeconds} s`;
  return [
    `band ${band}, priority ${priority}: waits from a saturation of ${ceilingRatio}${busy}`,
    `the pool is at ${saturationRatio.toFixed(2)}: ${goesOn ? 'it goes on at once' : `it waits${longest}; what follows is as if it had waited`}`,
  ];
}

function decisionLines(decision: DecisionStep, scheduling: RequestExplanation['scheduling']): string[] {
  if (decision.kind === 'reject') return [`${decision.status} ${decision.reason}`, decision.body];
  return [scheduling === undefined ? decision.endpoints.join(', then ') : chosenLine(scheduling.endpoints)];
}

function chancesText(chances: readonly { readonly pool: string; readonly ratio: number }[]): string {
  return chances.map(({ pool, ratio }) => `${pool} ${Math.round(ratio * 1e3) / 10} %`).join(', ');
}
