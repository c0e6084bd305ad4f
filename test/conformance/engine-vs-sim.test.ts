import { type RunningEngine, runEngine } from '../../src/simulation/engine/run-engine';
import { describeWith } from '../components/describe-with';
import { freePort, type RunningProcess, startProcess } from '../components/process';

/**
 * The reference simulator imitates vLLM's answers, and so does ours: whatever fields, events and series it has, ours must have with values of
 * the same kind. Ours has more where the OpenAI schema or vLLM does.
 */
describeWith(['sim'], 'the simulated engine beside the reference simulator', ({ sim }) => {
  let reference: RunningProcess;
  let referenceUrl: string;
  let ours: RunningEngine;

  beforeAll(async () => {
    const port = await freePort();
    referenceUrl = `http://127.0.0.1:${port}`;
    const args = `--model llama --port ${port} --force-dummy-tokenizer --mode echo --max-loras 2`;
    // Loopback as pod address switches its KV cache on without a cluster; its event stream goes nowhere.
    reference = await startProcess(sim, {
      args: [
        ...args.split(' '),
        '--lora-modules',
        '{"name":"red"}',
        '--enable-kvcache',
        '--zmq-endpoint',
        `tcp://127.0.0.1:${await freePort()}`,
      ],
      env: { POD_IP: '127.0.0.1' },
      ready: { port },
    });
    ours = await runEngine({
      mode: 'echo',
      speed: 100,
      adapters: { red: '/red' },
      profile: { maxModelTokens: 1024, maxAdapters: 2 },
    });
  });
  afterAll(async () => {
    await ours?.close();
    await reference?.stop();
  });

  async function both<T>(ask: (url: string) => Promise<T>): Promise<{ reference: T; ours: T }> {
    return { reference: await ask(referenceUrl), ours: await ask(ours.url) };
  }

  const send = (path: string, body: object | string) => async (url: string) => {
    const init = {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    };
    const response = await fetch(url + path, init);
    return { status: response.status, type: response.headers.get('content-type')?.split(';')[0], text: await response.text() };
  };

  const messages = [{ role: 'user', content: 'one two three' }];
  const jsonCases: [title: string, path: string, body: object | string][] = [
    ['a chat completion', '/v1/chat/completions', { model: 'llama', messages }],
    ['a chat completion of an adapter', '/v1/chat/completions', { model: 'red', messages }],
    ['a chat completion cut by its limit', '/v1/chat/completions', { model: 'llama', messages, max_tokens: 2 }],
    ['a completion', '/v1/completions', { model: 'llama', prompt: 'one two three' }],
    ['a response', '/v1/responses', { model: 'llama', input: 'one two three' }],
    ['a message', '/v1/messages', { model: 'llama', max_tokens: 10, messages }],
    ['embeddings', '/v1/embeddings', { model: 'llama', input: ['one', 'two three'] }],
    ['an unknown model', '/v1/chat/completions', { model: 'nope', messages }],
    ['a broken body', '/v1/chat/completions', '{"model":'],
    ['too many tokens', '/v1/chat/completions', { model: 'llama', messages, max_tokens: 1_000_000 }],
  ];
  it.each(jsonCases)('%s has the same status and fields', async (_title, path, body) => {
    const answers = await both(send(path, body));
    expect(answers.ours.status).toBe(answers.reference.status);
    expect(answers.ours.type).toBe(answers.reference.type);
    expect(shapes(JSON.parse(answers.ours.text))).toEqual(expect.arrayContaining(shapes(JSON.parse(answers.reference.text))));
  });

  it('repeats the same text with the same number of tokens', async () => {
    const answers = await both(send('/v1/chat/completions', { model: 'llama', messages }));
    const [reference, own] = [JSON.parse(answers.reference.text), JSON.parse(answers.ours.text)];
    expect(own.choices[0].message.content).toBe(reference.choices[0].message.content);
    expect(own.choices[0].finish_reason).toBe(reference.choices[0].finish_reason);
    expect(own.usage.completion_tokens).toBe(reference.usage.completion_tokens);
  });

  const streamOptions = { include_usage: true };
  const streamCases: [title: string, path: string, body: object][] = [
    ['a chat completion', '/v1/chat/completions', { model: 'llama', messages }],
    ['a chat completion with usage', '/v1/chat/completions', { model: 'llama', messages, stream_options: streamOptions }],
    ['a completion with usage', '/v1/completions', { model: 'llama', prompt: 'one two three', stream_options: streamOptions }],
    ['a response', '/v1/responses', { model: 'llama', input: 'one two three' }],
    ['a message', '/v1/messages', { model: 'llama', max_tokens: 10, messages }],
  ];
  it.each(streamCases)('the stream of %s has the same events in the same order', async (_title, path, body) => {
    const answers = await both(send(path, { ...body, stream: true }));
    expect(answers.ours.type).toBe('text/event-stream');
    const [reference, own] = [events(answers.reference.text), events(answers.ours.text)];
    expect(own.map(({ name }) => name)).toEqual(reference.map(({ name }) => name));
    for (const [index, event] of own.entries()) {
      expect({ index, shapes: event.shapes }).toEqual({ index, shapes: expect.arrayContaining(reference[index]!.shapes) });
    }
  });

  it('lists models with the same fields', async () => {
    const answers = await both(async (url) => shapes(await (await fetch(`${url}/v1/models`)).json()));
    expect(answers.ours).toEqual(expect.arrayContaining(answers.reference));
  });

  it('refuses with the same status and fields when batch and queue are full', async () => {
    const port = await freePort();
    const flags = `--model llama --port ${port} --force-dummy-tokenizer --max-num-seqs 1 --max-waiting-queue-length 1 --time-to-first-token 500ms`;
    const slowReference = await startProcess(sim, { args: flags.split(' '), ready: { port } });
    const profile = { maxRunningSequences: 1, maxWaitingRequests: 1, stepOverheadMs: 500 };
    const slowOurs = await runEngine({ profile });
    const refused = async (url: string) => {
      const answers = await Promise.all(
        [1, 2, 3].map(() => send('/v1/completions', { model: 'llama', prompt: 'x', max_tokens: 1 })(url)),
      );
      return answers.filter(({ status }) => status !== 200);
    };
    const [reference, own] = await Promise.all([refused(`http://127.0.0.1:${port}`), refused(slowOurs.url)]);
    await slowOurs.close();
    await slowReference.stop();
    expect(own.map(({ status }) => status)).toEqual(reference.map(({ status }) => status));
    expect(shapes(JSON.parse(own[0]!.text))).toEqual(shapes(JSON.parse(reference[0]!.text)));
    expect(JSON.parse(own[0]!.text).error.type).toBe(JSON.parse(reference[0]!.text).error.type);
  });

  it('publishes every series of the reference, with at least its labels and its buckets', async () => {
    const pages = await both(async (url) => series(await (await fetch(`${url}/metrics`)).text()));
    expect(pages.reference.size).toBeGreaterThan(20);
    for (const [name, labels] of pages.reference) {
      const own = pages.ours.get(vllmName(name));
      expect({ name, labels: own && [...own] }).toEqual({ name, labels: expect.arrayContaining([...labels].map(vllmLabel)) });
    }
  });
});

/** Names that differ from what vLLM itself publishes: Python's client library appends `_total` to counters. */
function vllmName(referenceName: string): string {
  const renamed: Record<string, string> = {
    'vllm:prefix_cache_hits': 'vllm:prefix_cache_hits_total',
    'vllm:prefix_cache_queries': 'vllm:prefix_cache_queries_total',
  };
  return referenceName
    .replace(/^vllm:max_num_generation_tokens/, 'vllm:request_max_num_generation_tokens')
    .replace(/^.*$/, (name) => renamed[name] ?? name);
}

/** vLLM's own label of `request_success_total` is `finished_reason`. */
function vllmLabel(referenceLabel: string): string {
  return referenceLabel === 'finish_reason' ? 'finished_reason' : referenceLabel;
}

/** `path:kind` of every value, list elements under one path. A value that is null has no kind to compare. */
function shapes(value: unknown, path = '$'): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return [...new Set([`${path}:list`, ...value.flatMap((element) => shapes(element, `${path}[]`))])];
  if (typeof value === 'object') {
    return [...new Set(Object.entries(value).flatMap(([key, field]) => [`${path}.${key}`, ...shapes(field, `${path}.${key}`)]))];
  }
  return [`${path}:${typeof value}`];
}

function events(stream: string): { name: string | undefined; shapes: string[] }[] {
  return stream
    .split('\n\n')
    .map((event) => event.trim())
    .filter((event) => event !== '' && event !== 'event: ping\ndata: {"type":"ping"}')
    .map((event) => {
      const data = /^data: (.*)$/m.exec(event)![1]!;
      return { name: /^event: (.*)$/m.exec(event)?.[1], shapes: data === '[DONE]' ? ['[DONE]'] : shapes(JSON.parse(data)) };
    });
}

/** Label names, and values of `le`, of every series on a metrics page. */
function series(page: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of page.split('\n')) {
    const match = /^(vllm:\w+)(?:\{(.*)\})? /.exec(line);
    if (!match) continue;
    const labels = found.get(match[1]!) ?? new Set<string>();
    for (const [, label, value] of (match[2] ?? '').matchAll(/(\w+)="([^"]*)"/g))
      labels.add(label === 'le' ? `le=${value}` : label!);
    found.set(match[1]!, labels);
  }
  return found;
}
