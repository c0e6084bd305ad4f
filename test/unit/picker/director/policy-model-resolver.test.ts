import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import type { ResolvedModel } from '../../../../src/picker/director/model-resolver';
import { type AskingClient, PolicyModelResolver } from '../../../../src/picker/director/policy-model-resolver';
import type { PoolRoute } from '../../../../src/picker/director/pool-route';
import type { RequestFacts } from '../../../../src/picker/ext-proc/director';
import { ModelAccess } from '../../../../src/picker/identity/model-access';
import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';
import { requestApi } from '../../../../src/picker/openai/request-api';
import type { PickerPolicy, PolicyAccess, PolicyModel } from '../../../../src/picker-config/picker-policy';
import { EMPTY_PICKER_POLICY } from '../../../../src/picker-config/picker-policy';

const POOLS = ['llama', 'mistral', 'spare', 'last'];

function model(name: string, pool: string, more: Partial<PolicyModel> = {}): PolicyModel {
  return { name, aliases: [], targets: [{ pool }], priority: 0, adapters: [], ...more };
}

const POLICY: PickerPolicy = {
  ...EMPTY_PICKER_POLICY,
  pools: POOLS.map((name) => ({
    name,
    endpoints: { kind: 'file', path: '/x' },
    ...(name === 'spare' ? { fallbackPool: 'last' } : {}),
  })),
  models: [
    model('llama-3-70b', 'llama', { aliases: ['llama'], adapters: [{ name: 'sql' }, { name: 'law', model: 'law-v2' }] }),
    model('mistral-7b', 'mistral', { targets: [{ pool: 'mistral', model: 'mistralai/Mistral-7B' }], fallbackPool: 'spare' }),
    model('canary', 'llama', {
      targets: [
        { pool: 'llama', weight: 90 },
        { pool: 'mistral', model: 'next', weight: 10 },
      ],
    }),
  ],
  classes: { header: 'x-model-class', values: { small: 'mistral-7b' } },
};

function resolver(policy: PickerPolicy = POLICY, chance = 0, access?: AskingClient): PolicyModelResolver {
  const pools = new Map<string, PoolRoute>(
    policy.pools.map(({ name }) => [name, { name, endpoints: new EndpointStore(), setHeaders: ['x-aig-pool', name] }]),
  );
  return new PolicyModelResolver(policy, pools, { next: () => chance }, access);
}

function request(
  json: unknown,
  { method = 'POST', path = '/v1/chat/completions', headers = {} as Record<string, string> } = {},
): RequestFacts {
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const scanned = new BodyScan();
  const api = requestApi(path);
  if (body !== undefined && api !== 'passthrough') scanBody(api, body, scanned);
  return {
    id: 1,
    header: (name) => headers[name],
    method,
    path,
    body,
    scanned: body === undefined ? undefined : scanned,
    subset: undefined,
  };
}

function asked(name: string | undefined): object {
  return { ...(name === undefined ? {} : { model: name }), messages: [{ role: 'user', content: 'hi' }] };
}

/** The pools in turn, each with the model that its engines see. */
function routes(facts: RequestFacts, from = resolver()): string[] {
  const into: ResolvedModel = { model: '', targetModel: '', attempts: [] };
  const refusal = from.resolve(facts, into);
  if (refusal !== undefined) throw new Error(`${refusal.status} ${refusal.body.toString()}`);
  return into.attempts.map(({ pool, targetModel }) => `${pool.name}/${targetModel}`);
}

function refused(facts: RequestFacts, from = resolver()): { status: number; body: any } {
  const decision = from.resolve(facts, { model: '', targetModel: '', attempts: [] })!;
  return { status: decision.status, body: JSON.parse(decision.body.toString()) };
}

test.each([
  ['body', request(asked('llama'))],
  ['class-header', request(asked('llama'), { headers: { 'x-model-class': 'small' } })],
  ['default-model', request(asked('gpt-9'))],
] as const)('it says that %s settled the model', (rule, facts) => {
  const into: ResolvedModel = { model: '', targetModel: '', attempts: [] };
  resolver({ ...POLICY, defaultModel: 'canary' }).resolve(facts, into);
  expect(into.rule).toBe(rule);
});

describe('the policy chooses pool and served name', () => {
  test.each([
    ['llama-3-70b', ['llama/llama-3-70b']],
    ['llama', ['llama/llama-3-70b']],
    ['sql', ['llama/sql']],
    ['law', ['llama/law-v2']],
    ['mistral-7b', ['mistral/mistralai/Mistral-7B', 'spare/mistral-7b', 'last/mistral-7b']],
  ])('%s → %j', (name, expected) => {
    expect(routes(request(asked(name)))).toEqual(expected);
  });

  test('the class header wins over the body', () => {
    const facts = request(asked('llama'), { headers: { 'x-model-class': 'small' } });
    expect(routes(facts)[0]).toBe('mistral/mistralai/Mistral-7B');
  });

  test('another value of the class header leaves the choice to the body', () => {
    expect(routes(request(asked('llama'), { headers: { 'x-model-class': 'huge' } }))).toEqual(['llama/llama-3-70b']);
  });

  test.each([
    [0, 'llama/canary'],
    [0.8999, 'llama/canary'],
    [0.9, 'mistral/next'],
    [0.9999999, 'mistral/next'],
  ])('chance %d of a weighted model goes to %s first, and the other target is next', (chance, first) => {
    const found = routes(request(asked('canary')), resolver(POLICY, chance));
    expect(found[0]).toBe(first);
    expect([...found].sort()).toEqual(['llama/canary', 'mistral/next']);
  });

  test('an unknown model gets 404 with the names that exist', () => {
    const { status, body } = refused(request(asked('gpt-9')));
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
    expect(body.error.message).toContain("no model 'gpt-9'; there are: canary, law, llama, llama-3-70b, mistral-7b, sql");
  });

  test('the Anthropic API gets its own error shape', () => {
    const { body } = refused(request({ ...asked('gpt-9'), max_tokens: 1 }, { path: '/v1/messages' }));
    expect(body).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  test('a default model takes requests that name none that is known', () => {
    const from = resolver({ ...POLICY, defaultModel: 'llama' });
    expect(routes(request(asked('gpt-9')), from)).toEqual(['llama/llama-3-70b']);
    expect(routes(request(asked(undefined)), from)).toEqual(['llama/llama-3-70b']);
  });

  test('a request without a model is refused', () => {
    expect(refused(request(asked(undefined))).status).toBe(400);
  });

  test('paths that are none of an API go to the only pool, and nowhere when there are several', () => {
    const one = {
      ...POLICY,
      pools: POLICY.pools.slice(0, 1),
      models: POLICY.models.slice(0, 1),
      classes: undefined,
    } as PickerPolicy;
    expect(routes(request(undefined, { method: 'GET', path: '/health' }), resolver(one))).toEqual(['llama/undefined']);
    expect(refused(request(undefined, { method: 'GET', path: '/health' })).status).toBe(400);
  });
});

describe('the list of models', () => {
  test('names all models, aliases and adapters of all pools', () => {
    const { status, body } = refused(request(undefined, { method: 'GET', path: '/v1/models?limit=5' }));
    expect(status).toBe(200);
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(['canary', 'law', 'llama', 'llama-3-70b', 'mistral-7b', 'sql']);
  });

  test('one model is found by its name, percent-encoded or not', () => {
    expect(refused(request(undefined, { method: 'GET', path: '/v1/models/llama%2D3-70b' })).body).toMatchObject({
      id: 'llama-3-70b',
    });
    expect(refused(request(undefined, { method: 'GET', path: '/v1/models/gpt-9' })).status).toBe(404);
    expect(refused(request(undefined, { method: 'GET', path: '/v1/models/%' })).status).toBe(404);
  });
});

describe('a model that keeps sessions at their target', () => {
  const SESSIONS = Array.from({ length: 200 }, (_, index) => `session-${index}`);
  const sticky = (stickiness: PolicyModel['stickiness'], more: Partial<PolicyModel> = {}): PickerPolicy => ({
    ...POLICY,
    models: POLICY.models.map((entry) => (entry.name === 'canary' ? { ...entry, ...more, stickiness } : entry)),
  });
  const HEADER = { source: 'header', name: 'x-session-id' } as const;
  const go = (policy: PickerPolicy, chance: number, session?: string, model = 'canary', access?: AskingClient): string =>
    routes(
      request(asked(model), { headers: session === undefined ? {} : { 'x-session-id': session } }),
      resolver(policy, chance, access),
    )[0]!;

  test('sends every request of a session to the same one, whatever chance says, and some sessions to each', () => {
    const first = SESSIONS.map((session) => go(sticky(HEADER), 0, session));
    expect(SESSIONS.map((session) => go(sticky(HEADER), 0.99, session))).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['llama/canary', 'mistral/next']));
  });

  test('leaves the requests without the header, or with an empty one, to chance', () => {
    expect([go(sticky(HEADER), 0), go(sticky(HEADER), 0.99)]).toEqual(['llama/canary', 'mistral/next']);
    expect([go(sticky(HEADER), 0, ''), go(sticky(HEADER), 0.99, '')]).toEqual(['llama/canary', 'mistral/next']);
  });

  test('keeps a session at one pool for the model, its aliases and its adapters', () => {
    const policy = sticky(HEADER, { aliases: ['test'], adapters: [{ name: 'poet' }] });
    const pools = (model: string): string[] => SESSIONS.map((session) => go(policy, 0, session, model).split('/')[0]!);
    expect(pools('test')).toEqual(pools('canary'));
    expect(pools('poet')).toEqual(pools('canary'));
  });

  test('goes by the verified client, where it is asked to', () => {
    const policy = sticky({ source: 'client' });
    const asClient = (id: string | undefined): AskingClient => ({ clientId: id, mayUse: () => true });
    const first = SESSIONS.map((id) => go(policy, 0, 'any', 'canary', asClient(id)));
    expect(SESSIONS.map((id) => go(policy, 0.99, 'other', 'canary', asClient(id)))).toEqual(first);
    expect(new Set(first).size).toBe(2);
    expect(go(policy, 0.99, 'any', 'canary', asClient(undefined))).toBe('mistral/next');
  });

  test('tells two targets of the same kind apart, so that each counts', () => {
    const twin = { pool: 'llama', weight: 1 };
    const policy = sticky(HEADER, { targets: [twin, twin, { pool: 'mistral', weight: 1 }] });
    const llama = SESSIONS.filter((session) => go(policy, 0, session).startsWith('llama')).length / SESSIONS.length;
    expect(Math.abs(llama - 2 / 3)).toBeLessThan(0.15);
  });
});

describe('a client that may use some models', () => {
  const access = (lists: Partial<PolicyAccess>, client = 'alice', tenant?: string): AskingClient => {
    const known = new ModelAccess({ ...POLICY, access: { clients: {}, tenants: {}, others: [], ...lists } });
    return { clientId: client, mayUse: (model) => known.mayUse({ id: client, tenant, keyName: undefined }, model) };
  };
  const ask = (asked: AskingClient, facts: RequestFacts, policy = POLICY): { model: string; status: number; names: string } => {
    const into: ResolvedModel = { model: '', targetModel: '', attempts: [] };
    const refusal = resolver(policy, 0, asked).resolve(facts, into);
    const text = refusal?.body.toString() ?? '';
    return { model: refusal === undefined ? into.model : '', status: refusal?.status ?? 0, names: text };
  };
  const chat = (model: string, headers = {}): RequestFacts =>
    request({ model, messages: [{ role: 'user', content: 'x' }] }, { headers });

  test('uses a model under all its names, and an adapter only where it is listed', () => {
    const asked = access({ clients: { alice: ['llama', 'sql'] } });
    expect(['llama-3-70b', 'llama', 'sql'].map((name) => ask(asked, chat(name)).model)).toEqual([
      'llama-3-70b',
      'llama-3-70b',
      'sql',
    ]);
    expect(ask(asked, chat('law')).status).toBe(404);
  });

  test('hears of another model what it hears of none: the names that it may use', () => {
    const asked = access({ clients: { alice: ['llama'] } });
    const [hidden, missing] = ['mistral-7b', 'no-such-one'].map((name) => ask(asked, chat(name)));
    expect(hidden!.status).toBe(404);
    expect(hidden!.names.replace('mistral-7b', 'x')).toBe(missing!.names.replace('no-such-one', 'x'));
    expect(hidden!.names).toContain('there are: llama, llama-3-70b');
    expect(ask(access({}), chat('llama')).names).toContain('there are: none');
  });

  test('sees its models in the list, and no others', () => {
    const asked = access({ clients: { alice: ['sql'] }, tenants: { red: ['mistral-7b'] } }, 'alice', 'red');
    const list = ask(asked, request(undefined, { method: 'GET', path: '/v1/models' }));
    expect((JSON.parse(list.names) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['mistral-7b', 'sql']);
    expect(ask(asked, request(undefined, { method: 'GET', path: '/v1/models/llama' })).status).toBe(404);
  });

  test('does not reach a model by a header class, by the default, or by a path that is not read', () => {
    const asked = access({ clients: { alice: ['llama'] } });
    const policy = { ...POLICY, defaultModel: 'canary' };
    expect(ask(asked, chat('llama', { 'x-model-class': 'small' })).model).toBe('llama-3-70b');
    expect(ask(asked, chat('unknown'), policy).status).toBe(404);
    const one = { ...POLICY, pools: POLICY.pools.slice(0, 1), models: POLICY.models.slice(0, 1), classes: undefined as never };
    const rerank = request({ model: 'law' }, { path: '/v1/rerank' });
    expect(ask(asked, rerank, one).status).toBe(404);
    expect(ask(access({ clients: { alice: ['llama', 'sql', 'law'] } }), rerank, one).status).toBe(0);
  });

  test.each([
    ['in no list', 'eve', undefined, [false, true]],
    ['in its own', 'alice', undefined, [true, false]],
    ["in its tenant's", 'eve', 'red', [false, true]],
    ['in both', 'alice', 'red', [true, true]],
    ['in none, of a tenant in none', 'eve', 'blue', [false, true]],
  ] as const)('%s', (_, client, tenant, expected) => {
    const asked = access({ clients: { alice: ['llama'] }, tenants: { red: ['canary'] }, others: ['canary'] }, client, tenant);
    expect(['llama-3-70b', 'canary'].map((name) => asked.mayUse(name))).toEqual(expected);
  });
});
