import { readFileSync } from 'node:fs';
import { OfflinePicker, type OfflineRequest } from '../../picker/explain/offline-picker';
import { CONTROL_HEADERS } from '../../shared/control-headers';
import type { Problem } from '../../shared/problem';
import { withoutControlHeaders } from '../up/embedded-proxy/header-lists';
import { loadPlan, refuse } from '../up/load-plan';
import type { KubeObject } from '../up/plan/kube-objects';
import type { PickerPlan } from '../up/plan/picker-plans';
import { endpointsOf, readState, unreadable } from './endpoints';
import { type Explained, explanationText, liveText } from './format-text';
import { gatewayStep } from './gateway-step';
import { liveDecision } from './live-picker';
import { EXPLAIN_USAGE, type ExplainPickerOptions, type ExplainRequestOptions, explainOptions } from './options';

/** More replicas than a picker's pools ever have: every one is a candidate. */
const ALL_REPLICAS = 10_000;
const STANDARD_INPUT = 0;

/** `cdk8s-ai-gateway explain`. @returns exit code: 0 also for a request that is refused, since that is explained */
export async function explain(args: readonly string[]): Promise<number> {
  const options = explainOptions(args);
  if (options === 'help') {
    process.stdout.write(EXPLAIN_USAGE);
    return 0;
  }
  if (!('kind' in options)) return refuse(options);
  return options.kind === 'picker' ? explainPicker(options) : explainRequest(options);
}

async function explainPicker(options: ExplainPickerOptions): Promise<number> {
  const decision = await liveDecision(options);
  if ('code' in decision) return refuse([decision]);
  process.stdout.write(options.json ? `${JSON.stringify(decision, undefined, 2)}\n` : liveText(decision));
  return 0;
}

function explainRequest(options: ExplainRequestOptions): number {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const body = readBody(options.request);
  if ('code' in body) return refuse([body]);
  const loaded = loadPlan(options.sources, { maxReplicas: ALL_REPLICAS }, say);
  if (!('plan' in loaded)) return refuse(loaded);
  const { plan, objects } = loaded;
  const kept = withoutControlHeaders(options.headers.map(([name, value]): [string, string] => [name, value]));
  for (const [name] of options.headers) {
    if (CONTROL_HEADERS.includes(name)) say(`NOTE header ${name} is removed at the gateway: clients must not steer by it`);
  }
  const request: OfflineRequest = {
    method: options.method,
    path: options.path,
    headers: new Map([[':method', options.method], [':path', options.path], ...kept]),
    body: body.length === 0 ? undefined : body,
  };
  const { step, picker } = gatewayStep(plan, [...request.headers], options.seed);
  const state = readState(options.endpointState);
  if (state.problems.length > 0) return refuse(state.problems);
  if (picker === undefined) return print({ gateway: step }, options, undefined, request);
  const { pools, problems } = endpointsOf(picker, state.states);
  if (problems.length > 0) return refuse(problems);
  const opened = OfflinePicker.open({ ...configOf(picker, objects), pools, seed: options.seed });
  if (opened.picker === undefined) return refuse(opened.problems);
  for (const notice of opened.notices) say(`NOTE ${notice}`);
  const faults: Problem[] = [];
  for (const { endpoint, state } of pools.flat()) {
    for (const file of state?.served ?? []) faults.push(...served(opened.picker, request, file, endpoint.hostPort, state!.where));
  }
  if (faults.length > 0) return refuse(faults);
  const { client, tenant } = options;
  const explanation = opened.picker.explain(request, client === undefined ? undefined : { id: client, tenant, keyName: client });
  return print({ gateway: step, ...explanation }, options, picker, request);
}

/** Lets an endpoint have answered the request of a file. */
function served(picker: OfflinePicker, request: OfflineRequest, file: string, hostPort: string, where: string): Problem[] {
  const body = readBody(file);
  if ('code' in body) return [{ ...body, where }];
  const fault = picker.serve({ ...request, body }, hostPort);
  if (fault === undefined) return [];
  const what = `the endpoint cannot have served this request: ${fault}`;
  return [{ code: 'AIG608', what, value: file, fix: 'remove it from served', where }];
}

function readBody(file: string): Buffer | Problem {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file);
  } catch (error) {
    return unreadable('--request', file, error as Error);
  }
}

function configOf({ flags, namespace, files }: PickerPlan, objects: readonly KubeObject[]) {
  const rewrites = objects.filter(
    ({ kind, metadata }) => kind === 'InferenceModelRewrite' && (metadata.namespace ?? 'default') === namespace,
  );
  return { flags, namespace, files, rewrites };
}

function print(
  explained: Explained,
  options: ExplainRequestOptions,
  picker: PickerPlan | undefined,
  { headers }: OfflineRequest,
): number {
  const policy = picker?.policy;
  const classValue = policy?.classes && headers.get(policy.classes.header);
  const around = { policy, seed: options.seed, client: options.client, isIdle: options.endpointState === undefined, classValue };
  process.stdout.write(options.json ? `${JSON.stringify(explained, undefined, 2)}\n` : explanationText(explained, around));
  return 0;
}
