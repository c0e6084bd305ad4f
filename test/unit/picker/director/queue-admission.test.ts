import { type Admission, type Grant, WAIT } from '../../../../src/picker/director/admission';
import type { ResolvedModel } from '../../../../src/picker/director/model-resolver';
import { QueueAdmission } from '../../../../src/picker/director/queue-admission';
import type { RejectDecision, RequestFacts } from '../../../../src/picker/ext-proc/director';
import { rejection } from '../../../../src/picker/ext-proc/rejection';
import type { Logger } from '../../../../src/picker/telemetry/log';
import { ManualClock } from '../../../../src/shared/clock';
import { band, pool, settings } from '../flow-control/support';
import { outcome } from '../tokens/support';

type Verdict = Grant | RejectDecision | undefined;

/** A grant that tells what became of it. */
function grantOf(tenant: string | undefined, events: string[]): Grant {
  return {
    kind: 'grant',
    client: tenant === undefined ? undefined : { id: `client of ${tenant}`, tenant, keyName: undefined },
    removeHeaders: ['authorization'],
    wantsUsage: false,
    answerHeaders: ['x-left', '1'],
    maxTokens: 50,
    settle: () => events.push('settled'),
    release: () => events.push('released'),
  };
}

function harness(inner: Partial<Admission> = {}, rules = settings()) {
  const clock = new ManualClock(1_000);
  const lines: Record<string, unknown>[] = [];
  const log = { info: (line: Record<string, unknown>) => lines.push(line) } as unknown as Logger;
  const events: string[] = [];
  const admission = new QueueAdmission(
    {
      admit: () => undefined,
      wait: () => undefined,
      abandon: () => {
        events.push('inner abandoned');
      },
      ...inner,
    },
    { log, nowMs: () => clock.nowMs(), wakeAt: () => undefined, onQueued: () => events.push('queued') },
  );
  admission.use(rules);
  const served = pool();
  const resolved = (changes: Partial<ResolvedModel> = {}): ResolvedModel => ({
    model: 'm',
    targetModel: 'm',
    attempts: [{ pool: { ...served, setHeaders: undefined }, targetModel: undefined }],
    priority: 0,
    fairnessId: '',
    ...changes,
  });
  const fill = (count = 1): void => {
    served.store.snapshot.table.inFlight[0] = count;
  };
  return { admission, clock, lines, events, resolved, fill, served };
}

function request(
  headers: Record<string, string> = {},
  body: Buffer | null = Buffer.alloc(10),
  path = '/v1/chat/completions',
): RequestFacts {
  return {
    id: 1,
    header: (name) => headers[name],
    method: body === null ? 'GET' : 'POST',
    path,
    body: body ?? undefined,
    scanned: undefined,
    subset: undefined,
  };
}

test('without rules what the inner admission says goes', () => {
  const { admission, resolved, fill } = harness();
  admission.use(undefined);
  fill();
  expect(admission.admit(request(), resolved())).toBeUndefined();
});

test('what was refused before never waits', () => {
  const refusal = rejection('chat', 'Unauthorized', 'who?', 'unauthorized');
  const { admission, resolved, fill, events } = harness({ admit: () => refusal, identify: () => refusal });
  fill();
  expect(admission.identify(request())).toBe(refusal);
  expect(admission.admit(request(), resolved())).toBe(refusal);
  expect(events).toEqual([]);
});

test('without an inner grant all requests of a tenant have the same leave, and none is made for one', () => {
  const { admission, resolved } = harness();
  const first = admission.admit(request(), resolved());
  expect(first).toMatchObject({ kind: 'grant', removeHeaders: undefined, wantsUsage: false });
  expect(admission.admit(request(), resolved())).toBe(first);
});

test('with one both are told of the end', () => {
  const events: string[] = [];
  const { admission, resolved } = harness({ admit: () => grantOf('a', events) });
  const grant = admission.admit(request(), resolved()) as Grant;
  expect(grant).toMatchObject({ removeHeaders: ['authorization'], answerHeaders: ['x-left', '1'], client: { tenant: 'a' } });
  expect(grant.maxTokens).toBe(50);
  grant.settle(outcome({}));
  grant.release();
  expect(events).toEqual(['settled', 'released']);
});

test('a stream must tell its tokens where they decide whose turn it is', () => {
  const bands = [band(0, { fairness: 'attainedService' })];
  for (const [tenant, wanted] of [
    ['a', true],
    [undefined, false],
  ] as const) {
    const { admission, resolved } = harness({ admit: () => grantOf(tenant, []) }, settings({ bands }));
    expect((admission.admit(request(), resolved()) as Grant).wantsUsage).toBe(wanted);
  }
});

test('priority and tenant are those of the verified client, where the policy ranks him', () => {
  const { admission, resolved } = harness({ admit: () => grantOf('research', []) });
  admission.use(settings(), new Map([['research', -5]]));
  const facts = resolved({ priority: 100 });
  admission.admit(request({ 'x-llm-d-inference-objective': 'gold', 'x-llm-d-inference-fairness-id': 'me' }), facts);
  expect(facts).toMatchObject({ priority: -5, fairnessId: 'research' });
});

test('what asks an engine for nothing does not wait', () => {
  const { admission, resolved, fill } = harness();
  fill();
  expect(admission.admit(request({}, null, '/v1/models'), resolved())).toBeUndefined();
});

test('who waits goes on with both leaves, or is refused and gives back what was set aside', () => {
  const events: string[] = [];
  const { admission, resolved, fill, lines } = harness(
    { admit: () => grantOf('a', events) },
    settings({ bands: [band(0, { maxRequests: 1 })] }),
  );
  fill();
  const verdicts: Verdict[] = [];
  const waits = request({ 'x-request-id': 'r1' });
  expect(admission.admit(waits, resolved())).toBe(WAIT);
  admission.wait(waits, (verdict) => verdicts.push(verdict));
  expect(admission.admit(request({ 'x-request-id': 'r2' }), resolved())).toMatchObject({
    status: 429,
    reason: 'rejected-saturated',
  });
  expect(events).toEqual(['released']);
  expect(lines).toMatchObject([
    {
      audit: 'queue',
      reason: 'full',
      pool: 'pool',
      band: 'band0',
      tenant: 'a',
      client: 'client of a',
      status: 429,
      requestId: 'r2',
    },
  ]);
  fill(0);
  admission.flow!.pump();
  expect(verdicts).toMatchObject([{ kind: 'grant', client: { tenant: 'a' } }]);
});

test('a client that has gone leaves the queue, and gives back what was set aside', () => {
  const events: string[] = [];
  const { admission, resolved, fill } = harness({ admit: () => grantOf('a', events) });
  fill();
  const gone = request();
  expect(admission.admit(gone, resolved())).toBe(WAIT);
  admission.wait(gone, () => events.push('resumed'));
  admission.abandon(gone);
  admission.abandon(gone);
  fill(0);
  admission.flow!.pump();
  expect(events).toEqual(['released']);
  expect(admission.flow!.queued).toBe(0);
});

describe('behind an inner admission that thinks about it', () => {
  function slow(rules = settings()) {
    const events: string[] = [];
    let answer: (verdict: Verdict) => void = () => undefined;
    const parts = harness(
      {
        admit: () => WAIT,
        wait: (_, resume) => {
          answer = resume;
        },
      },
      rules,
    );
    const facts = request();
    const verdicts: Verdict[] = [];
    expect(parts.admission.admit(facts, parts.resolved())).toBe(WAIT);
    parts.admission.wait(facts, (verdict) => verdicts.push(verdict));
    return { ...parts, facts, verdicts, grants: events, answer: (verdict: Verdict) => answer(verdict) };
  }

  test('a request goes on', () => {
    const { answer, verdicts, grants } = slow();
    answer(grantOf('a', grants));
    expect(verdicts).toMatchObject([{ kind: 'grant' }]);
  });

  test('or is refused', () => {
    const { answer, verdicts } = slow();
    answer(rejection('chat', 'ServiceUnavailable', 'no store', 'limit-store-unavailable'));
    expect(verdicts).toMatchObject([{ status: 503 }]);
  });

  test('or waits once more', () => {
    const { answer, verdicts, fill, admission, grants } = slow();
    fill();
    answer(grantOf('a', grants));
    expect(verdicts).toEqual([]);
    fill(0);
    admission.flow!.pump();
    expect(verdicts).toMatchObject([{ kind: 'grant' }]);
  });

  test('its client may go before, or after', () => {
    const before = slow();
    before.admission.abandon(before.facts);
    expect(before.events).toEqual(['inner abandoned']);
    const after = slow();
    after.fill();
    after.answer(grantOf('a', after.grants));
    after.admission.abandon(after.facts);
    expect(after.grants).toEqual(['released']);
    expect(after.verdicts).toEqual([]);
  });
});

describe('answers', () => {
  const rules = settings({ bands: [band(0, { maxRequests: 1, maxBytes: 100, queueMs: 2_000 })] });

  function refusedAfter(
    act: (parts: ReturnType<typeof harness>) => void,
    body = Buffer.alloc(10),
    changes = rules,
  ): RejectDecision {
    const parts = harness({}, changes);
    parts.fill();
    const facts = request({}, body);
    const verdicts: Verdict[] = [];
    const verdict = parts.admission.admit(facts, parts.resolved());
    if (verdict !== WAIT) return verdict as RejectDecision;
    parts.admission.wait(facts, (late) => verdicts.push(late));
    act(parts);
    return verdicts[0] as RejectDecision;
  }

  function header({ headers }: RejectDecision, name: string): string | undefined {
    const at = headers.indexOf(name);
    return at < 0 ? undefined : headers[at + 1];
  }

  const later = ({ clock, admission }: ReturnType<typeof harness>): void => {
    clock.advance(2_000);
    admission.flow!.tick();
  };

  test('a request that waited too long is refused by its deadline, with a time to come back', () => {
    const decision = refusedAfter(later);
    expect(decision).toMatchObject({ status: 429, reason: 'rejected-ttl-expired' });
    expect(decision.body.toString()).toContain('request timed out in queue: request evicted from queue: request TTL expired');
    expect([header(decision, 'retry-after'), header(decision, 'retry-after-ms')]).toEqual(['1', '1000']);
  });

  test('F4: a pool without endpoints is a 503, not a full one', () => {
    const decision = refusedAfter((parts) => {
      parts.served.set(0);
      later(parts);
    });
    expect(decision).toMatchObject({ status: 503, reason: 'rejected-no-endpoints' });
    expect(Number(header(decision, 'retry-after'))).toBeGreaterThan(1);
  });

  test('what can never fit is a 413 without a time to come back', () => {
    const decision = refusedAfter(() => undefined, Buffer.alloc(101));
    expect(decision).toMatchObject({ status: 413, reason: 'payload-too-large' });
    expect(header(decision, 'retry-after')).toBeUndefined();
  });

  test('a picker that stops says so', () => {
    const decision = refusedAfter(({ admission }) => admission.flow!.drain());
    expect(decision).toMatchObject({ status: 503, reason: 'rejected-shutting-down' });
    expect(header(decision, 'retry-after')).toBe('1');
  });

  test('who gives way to a higher priority hears it', () => {
    const decision = refusedAfter(
      ({ admission, resolved }) => {
        const higher = request();
        expect(admission.admit(higher, resolved({ priority: 1 }))).toBe(WAIT);
      },
      undefined,
      settings({ maxRequests: 1 }),
    );
    expect(decision).toMatchObject({ status: 429, reason: 'evicted-priority' });
  });

  test('sheddable requests are refused with llm-d’s words where nobody queues', () => {
    const parts = harness({}, settings({ queues: false }));
    parts.fill();
    const decision = parts.admission.admit(request(), parts.resolved({ priority: -1 })) as RejectDecision;
    expect(decision).toMatchObject({ status: 429, reason: 'rejected-saturated' });
    expect(decision.body.toString()).toContain('system saturated, sheddable request dropped');
  });
});

test('a client that says how long it waits is not kept longer', () => {
  const { admission, resolved, fill, clock } = harness();
  fill();
  const hasty = request({ 'x-stainless-timeout': '3' });
  const verdicts: Verdict[] = [];
  expect(admission.admit(hasty, resolved())).toBe(WAIT);
  admission.wait(hasty, (verdict) => verdicts.push(verdict));
  clock.advance(3_000);
  admission.flow!.tick();
  expect(verdicts).toMatchObject([{ status: 429 }]);
});
