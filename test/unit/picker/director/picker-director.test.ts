import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { Objectives } from '../../../../src/picker/datastore/objectives';
import { type Admission, WAIT } from '../../../../src/picker/director/admission';
import { PassModelResolver } from '../../../../src/picker/director/model-resolver';
import { PickerDirector } from '../../../../src/picker/director/picker-director';
import { QueueAdmission } from '../../../../src/picker/director/queue-admission';
import type { Decision, Outcome, RejectDecision, RequestFacts, RouteDecision } from '../../../../src/picker/ext-proc/director';
import { rejection } from '../../../../src/picker/ext-proc/rejection';
import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';
import { buildScheduler, LLMD_DEFAULT_SCHEDULING } from '../../../../src/picker/scheduling/scheduler-builder';
import { DecisionLog } from '../../../../src/picker/telemetry/decision-log';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { RequestMetrics } from '../../../../src/picker/telemetry/request-metrics';
import { SchedulerMetrics } from '../../../../src/picker/telemetry/scheduler-metrics';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { settings as queueSettings } from '../flow-control/support';

const OUTCOME: Outcome = {
  status: 200,
  inputTokens: 5,
  outputTokens: 5,
  cachedTokens: 0,
  requestBytes: 10,
  responseBytes: 10,
  firstByteMs: 1,
  cause: 'natural',
};

function harness(
  endpoints: readonly string[],
  options: { admission?: Admission; ignoreSubset?: boolean; objectives?: Objectives; onError?: (error: unknown) => void } = {},
) {
  const store = new EndpointStore();
  store.replaceAll(
    endpoints.map((hostPort) => {
      const [address, port] = hostPort.split(':') as [string, string];
      return { name: `pod-${port}`, address, port: Number(port), labels: {}, ready: true, hostPort };
    }),
  );
  const clock = new ManualClock(1_000);
  const { scheduler } = buildScheduler(LLMD_DEFAULT_SCHEDULING, { source: store, clock, random: new SeededRandom(1) });
  const requests = new RequestMetrics();
  const scheduling = new SchedulerMetrics();
  const decisions = new DecisionLog();
  const director = new PickerDirector({
    scheduler: scheduler!,
    models: new PassModelResolver({ name: 'pool', endpoints: store, setHeaders: undefined }, undefined, options.objectives),
    requests,
    scheduling,
    decisions,
    clock,
    ...options,
  });
  return { director, store, clock, requests, decisions, scheduling };
}

let lastId = 0;
function request(json: unknown, headers: Record<string, string> = {}, subset?: string[]): RequestFacts {
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const scanned = new BodyScan();
  if (body !== undefined) scanBody('chat', body, scanned);
  return {
    id: ++lastId,
    header: (name) => headers[name],
    method: 'POST',
    path: '/v1/chat/completions',
    body,
    scanned: body === undefined ? undefined : scanned,
    subset,
  };
}

const CHAT = { model: 'llama', messages: [{ role: 'user', content: 'hello' }] };
const never = (): void => {
  throw new Error('resumed a decision that was made at once');
};

function inFlight({ store }: ReturnType<typeof harness>): number {
  return store.snapshot.table.inFlight.reduce((sum, count) => sum + count, 0);
}

test('a request goes to an endpoint, is in flight until it settles, and leaves its traces', () => {
  const parts = harness(['10.0.0.1:8000']);
  const facts = request(CHAT);
  const decision = parts.director.decide(facts, never) as RouteDecision;
  expect(decision).toMatchObject({ kind: 'route', destination: '10.0.0.1:8000', targetModel: undefined, observeResponse: true });
  expect(inFlight(parts)).toBe(1);
  parts.clock.advance(500);
  parts.director.settle(facts, decision, OUTCOME);
  expect(inFlight(parts)).toBe(0);
  expect(parts.requests.series('llama', 'llama', 'default-flow').durationSeconds.sum).toBe(0.5);
  expect(parts.decisions.list()).toMatchObject([
    { id: facts.id, model: 'llama', result: '10.0.0.1:8000', explanation: undefined },
  ]);
  const out = new Exposition();
  parts.scheduling.write(out);
  expect(out.take()).toContain(
    'endpoint_name="pod-8000",namespace="default",port="8000",status="success",target_model_name="llama"} 1\n',
  );
});

test.each([
  ['x-llm-d-model-name-rewrite', 'tuned'],
  ['x-gateway-model-name-rewrite', 'tuned'],
])('the header %s gives the engine another model', (header, model) => {
  const { director, requests } = harness(['10.0.0.1:8000']);
  const decision = director.decide(request(CHAT, { [header]: model }), never);
  expect(decision).toMatchObject({ targetModel: model });
  expect(requests.series('llama', model, 'default-flow').total).toBe(1);
});

test('whoever admitted a request hears which pool serves it, and of a pool without endpoints nothing', () => {
  const events: string[] = [];
  const grant = {
    kind: 'grant' as const,
    ...{ removeHeaders: undefined, wantsUsage: false, answerHeaders: undefined },
    servedBy: (pool: string) => void events.push(`served by ${pool}`),
    settle: () => void events.push('settled'),
    release: () => void events.push('released'),
  };
  const admission: Admission = { admit: () => grant, wait: never, abandon: never };
  harness(['10.0.0.1:8000'], { admission }).director.decide(request(CHAT), never);
  harness([], { admission }).director.decide(request(CHAT), never);
  expect(events).toEqual(['served by pool', 'released']);
});

test('requests are counted by fairness id, the later header name first', () => {
  const { director, requests } = harness(['10.0.0.1:8000'], { objectives: new Objectives() });
  director.decide(request(CHAT, { 'x-llm-d-inference-fairness-id': 'a', 'x-gateway-inference-fairness-id': 'b' }), never);
  director.decide(request(CHAT, { 'x-gateway-inference-fairness-id': 'b' }), never);
  expect(['a', 'b'].map((id) => requests.series('llama', 'llama', id).total)).toEqual([1, 1]);
});

test('and by the priority of their objective, where headers are believed', () => {
  const objectives = new Objectives();
  objectives.replaceAll(new Map([['gold', 7]]));
  const headers = { 'x-gateway-inference-objective': 'gold', 'x-llm-d-inference-fairness-id': 'a' };
  for (const [options, tenant, priority] of [
    [{ objectives }, 'a', 7],
    [{}, 'default-flow', 0],
  ] as const) {
    const { director, requests } = harness(['10.0.0.1:8000'], options);
    director.decide(request(CHAT, headers), never);
    expect(requests.series('llama', 'llama', tenant, priority).total).toBe(1);
  }
});

test('a chat without a model is refused', () => {
  const { director } = harness(['10.0.0.1:8000']);
  const decision = director.decide(request({ messages: CHAT.messages }), never) as RejectDecision;
  expect(decision).toMatchObject({ kind: 'reject', status: 400 });
  expect(decision.body.toString()).toContain('model not found in request body');
});

test('a request without a body is scheduled like any other', () => {
  const { director } = harness(['10.0.0.1:8000']);
  expect(director.decide(request(undefined), never)).toMatchObject({ kind: 'route', destination: '10.0.0.1:8000' });
});

test.each([
  ['no endpoint', [], undefined, 'no endpoint is ready'],
  ['a subset without endpoints', ['10.0.0.1:8000'], ['10.9.9.9'], "in the proxy's subset"],
])('%s is answered with 503 and its reason', (_, endpoints, subset, words) => {
  const { director, requests, decisions } = harness(endpoints);
  const decision = director.decide(request(CHAT, {}, subset), never) as RejectDecision;
  expect(decision).toMatchObject({ kind: 'reject', status: 503, reason: 'rejected-no-endpoints' });
  expect(decision.body.toString()).toContain(words);
  expect(requests.series('llama', 'llama', 'default-flow').errors.get('503')).toBe(1);
  expect(requests.series('llama', 'llama', 'default-flow').running).toBe(0);
  expect(decisions.list()[0]!.result).toBe('rejected-no-endpoints');
});

test('the subset can be ignored', () => {
  const { director } = harness(['10.0.0.1:8000'], { ignoreSubset: true });
  expect(director.decide(request(CHAT, {}, ['10.9.9.9']), never)).toMatchObject({ kind: 'route' });
});

test('decisions are explained while somebody reads them, and not all of them', () => {
  const { director, decisions, clock } = harness(['10.0.0.1:8000', '10.0.0.2:8000']);
  decisions.arm(clock.nowMs());
  director.decide(request(CHAT), never);
  director.decide(request(CHAT), never);
  clock.advance(60_001);
  director.decide(request(CHAT), never);
  const explained = decisions.list().map(({ explanation }) => explanation?.length);
  expect(explained).toEqual([undefined, undefined, 2]);
});

test('the log keeps the last 256 decisions', () => {
  const { director, decisions } = harness(['10.0.0.1:8000']);
  for (let i = 0; i < 300; i++) director.decide(request(CHAT), never);
  const ids = decisions.list().map(({ id }) => id);
  expect(ids.length).toBe(256);
  expect(ids[0]).toBe(lastId);
  expect(ids[255]).toBe(lastId - 255);
});

describe('admission', () => {
  class Gate implements Admission {
    public readonly waiting = new Map<RequestFacts, (refusal: RejectDecision | undefined) => void>();
    public constructor(private readonly verdict: RejectDecision | typeof WAIT) {}
    public admit(): RejectDecision | typeof WAIT {
      return this.verdict;
    }
    public wait(facts: RequestFacts, resume: (refusal: RejectDecision | undefined) => void): void {
      this.waiting.set(facts, resume);
    }
    public abandon(facts: RequestFacts): void {
      this.waiting.delete(facts);
    }
  }
  const refusal = rejection('chat', 'ResourceExhausted', 'too many', 'rejected-saturated');

  test('a refusal is the answer, and nothing is in flight', () => {
    const parts = harness(['10.0.0.1:8000'], { admission: new Gate(refusal) });
    expect(parts.director.decide(request(CHAT), never)).toBe(refusal);
    expect(inFlight(parts)).toBe(0);
  });

  test('requests that wait keep their own model, whatever comes between', () => {
    const gate = new Gate(WAIT);
    const parts = harness(['10.0.0.1:8000'], { admission: gate });
    const resumed: Decision[] = [];
    const first = request(CHAT, { 'x-llm-d-model-name-rewrite': 'one' });
    const second = request({ ...CHAT, model: 'other' });
    const third = request(CHAT);
    for (const facts of [first, second, third])
      expect(parts.director.decide(facts, (decision) => resumed.push(decision))).toBeUndefined();
    parts.director.abandon(third);
    expect([...gate.waiting.keys()]).toEqual([first, second]);
    gate.waiting.get(second)!(refusal);
    gate.waiting.get(first)!(undefined);
    expect(resumed).toMatchObject([refusal, { kind: 'route', targetModel: 'one' }]);
    expect(inFlight(parts)).toBe(1);
    expect(parts.requests.series('other', 'other', 'default-flow').errors.get('429')).toBe(1);
  });
});

describe('a grant', () => {
  const granted = (): { admission: Admission; calls: string[] } => {
    const calls: string[] = [];
    const grant = {
      kind: 'grant' as const,
      removeHeaders: ['authorization'],
      wantsUsage: true,
      answerHeaders: ['x-left', '5'],
      settle: ({ status }: Outcome) => void calls.push(`settled ${status}`),
      release: () => void calls.push('released'),
    };
    return { admission: { admit: () => grant, wait: never, abandon: never }, calls };
  };

  test('goes with the request, and is settled once', () => {
    const { admission, calls } = granted();
    const { director } = harness(['10.0.0.1:8000'], { admission });
    const facts = request(CHAT);
    const decision = director.decide(facts, never) as RouteDecision;
    expect(decision).toMatchObject({ removeHeaders: ['authorization'], wantsUsage: true, answerHeaders: ['x-left', '5'] });
    director.settle(facts, decision, OUTCOME);
    expect(calls).toEqual(['settled 200']);
  });

  test('is given back when no endpoint is found', () => {
    const { admission, calls } = granted();
    expect(harness([], { admission }).director.decide(request(CHAT), never)).toMatchObject({ kind: 'reject', status: 503 });
    expect(calls).toEqual(['released']);
  });
});

test('a client that is not known hears nothing of models', () => {
  const stranger = rejection('chat', 'Unauthorized', 'who?', 'unauthorized');
  const admission: Admission = { identify: () => stranger, admit: () => undefined, wait: never, abandon: never };
  const { director, requests } = harness(['10.0.0.1:8000'], { admission });
  expect(director.decide(request({ messages: CHAT.messages }), never)).toBe(stranger);
  expect(requests.series('', '', 'default-flow').errors.get('401')).toBe(1);
});

test('another scheduler takes over, and settles what the first one sent', () => {
  const parts = harness(['10.0.0.1:8000']);
  const facts = request(CHAT);
  const decision = parts.director.decide(facts, never) as RouteDecision;
  const { scheduler } = buildScheduler(LLMD_DEFAULT_SCHEDULING, {
    source: parts.store,
    clock: parts.clock,
    random: new SeededRandom(2),
  });
  parts.director.use(scheduler!, new PassModelResolver({ name: 'pool', endpoints: parts.store, setHeaders: undefined }));
  parts.director.settle(facts, decision, OUTCOME);
  expect(inFlight(parts)).toBe(0);
});

test('B8: a request that has waited and cannot be decided is a 500, which somebody hears of', () => {
  let resume: Parameters<Admission['wait']>[1] = () => undefined;
  const errors: unknown[] = [];
  const admission: Admission = {
    admit: () => WAIT,
    wait: (_, late) => {
      resume = late;
    },
    abandon: () => undefined,
  };
  const { director, requests } = harness(['10.0.0.1:8000'], { admission, onError: (error) => errors.push(error) });
  const decisions: Decision[] = [];
  expect(director.decide(request(CHAT), (decision) => decisions.push(decision))).toBeUndefined();
  const fault = new Error('a bug');
  resume(
    Object.defineProperty({ kind: 'grant', release: () => undefined } as never, 'answerHeaders', {
      get: () => {
        throw fault;
      },
    }),
  );
  expect(errors).toEqual([fault]);
  expect(decisions).toMatchObject([{ kind: 'reject', status: 500, reason: 'internal' }]);
  expect(requests.series('llama', 'llama', 'default-flow').errors.get('500')).toBe(1);
});

test('a request that takes another one’s place in the queue keeps its own model', () => {
  const objectives = new Objectives();
  objectives.replaceAll(new Map([['gold', 1]]));
  const clock = new ManualClock(1_000);
  const admission = new QueueAdmission(
    { admit: () => undefined, wait: () => undefined, abandon: () => undefined },
    { log: { info: () => undefined } as never, nowMs: () => clock.nowMs(), wakeAt: () => undefined },
  );
  admission.use(queueSettings({ maxRequests: 1 }));
  const { director, requests } = harness(['10.0.0.1:8000'], { admission, objectives });
  const decisions = new Map<string, Decision>();
  const ask = (model: string, headers: Record<string, string> = {}): Decision | undefined =>
    director.decide(request({ ...CHAT, model }, headers), (decision) => decisions.set(model, decision));
  const first = ask('first') as RouteDecision;
  expect(ask('cheap')).toBeUndefined();
  expect(ask('dear', { 'x-llm-d-inference-objective': 'gold', 'x-llm-d-model-name-rewrite': 'dear-tuned' })).toBeUndefined();
  expect(decisions.get('cheap')).toMatchObject({ status: 429, reason: 'evicted-priority' });
  director.settle(request(CHAT), first, OUTCOME);
  expect(decisions.get('dear')).toMatchObject({ kind: 'route', targetModel: 'dear-tuned' });
  expect(requests.series('dear', 'dear-tuned', 'default-flow', 1).running).toBe(1);
  expect(requests.series('cheap', 'cheap', 'default-flow').errors.get('429')).toBe(1);
});
