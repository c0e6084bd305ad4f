import { type RunEngineOptions, type RunningEngine, runEngine } from '../../../../../src/simulation/engine/run-engine';

let running: RunningEngine;
afterEach(() => running.close());

/** Fast and echoing, so that every count is known beforehand. */
async function start(options: RunEngineOptions = {}): Promise<void> {
  running = await runEngine({ mode: 'echo', speed: 100, ...options });
}

function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(running.url + path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), signal });
}

async function postJson(path: string, body: unknown) {
  const response = await post(path, body);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Server-sent events of a whole answer: their names where they have one, and their data. */
async function postStream(path: string, body: object) {
  const response = await post(path, { ...body, stream: true });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events = (await response.text()).split('\n\n').filter((event) => event !== '');
  return events.map((event) => {
    const data = /^data: (.*)$/m.exec(event)![1]!;
    return { event: /^event: (.*)$/m.exec(event)?.[1], data: data === '[DONE]' ? data : JSON.parse(data) };
  });
}

const chat = { model: 'llama', messages: [{ role: 'user', content: 'one two three' }] };

test('routers that hash tokens are told those of a request, and nothing is generated', async () => {
  await start();
  const { status, body } = await postJson('/v1/chat/completions/render', chat);
  const again = await postJson('/v1/completions/render', { model: 'llama', prompt: ' two three' });
  expect([status, again.status]).toEqual([200, 200]);
  expect(body.token_ids.length).toBeGreaterThan(3);
  expect(body.token_ids.every((id: number) => Number.isInteger(id) && id >= 0)).toBe(true);
  const [{ token_ids: two }] = again.body;
  expect(two).toHaveLength(2);
  expect(body.token_ids.join()).toContain(two.join());
  expect((await postJson('/v1/chat/completions/render', { ...chat, model: 'other' })).status).toBe(404);
  expect(running.engine.stats.promptTokens).toBe(0);
});

describe('chat completions', () => {
  it('echo the last user message and count tokens', async () => {
    await start();
    const { status, body } = await postJson('/v1/chat/completions', {
      model: 'llama',
      messages: [
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'x' },
        { role: 'user', content: [{ type: 'text', text: 'one two three' }] },
      ],
    });
    expect(status).toBe(200);
    expect(body.choices[0]).toMatchObject({ message: { role: 'assistant', content: 'one two three' }, finish_reason: 'stop' });
    expect(body.usage.completion_tokens).toBe(3);
    expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + 3);
  });

  it('end with length at the limit, of which the newer name wins', async () => {
    await start();
    const { body } = await postJson('/v1/chat/completions', { ...chat, max_completion_tokens: 2, max_tokens: 1 });
    expect(body.choices[0]).toMatchObject({ message: { content: 'one two' }, finish_reason: 'length' });
  });

  it('tell in the usage how much of the prompt was cached', async () => {
    await start();
    const long = { model: 'llama', messages: [{ role: 'user', content: 'a long word '.repeat(20) }], max_tokens: 1 };
    const first = await postJson('/v1/chat/completions', long);
    const second = await postJson('/v1/chat/completions', long);
    expect(first.body.usage.prompt_tokens_details.cached_tokens).toBe(0);
    const { prompt_tokens: prompt, prompt_tokens_details: details } = second.body.usage;
    expect(details.cached_tokens).toBe(Math.floor((prompt - 1) / 16) * 16);
  });

  it('stream role, pieces, reason, and the usage only when asked for', async () => {
    await start();
    const plain = await postStream('/v1/chat/completions', chat);
    const deltas = plain.slice(0, -1).map(({ data }) => data.choices[0].delta);
    expect(deltas).toEqual([
      { role: 'assistant', content: '' },
      { content: 'one' },
      { content: ' two' },
      { content: ' three' },
      {},
    ]);
    expect(plain.at(-2)!.data.choices[0].finish_reason).toBe('stop');
    expect(plain.at(-1)!.data).toBe('[DONE]');
    expect(plain.some(({ data }) => data.usage)).toBe(false);

    const withUsage = await postStream('/v1/chat/completions', { ...chat, stream_options: { include_usage: true } });
    expect(withUsage.at(-2)!.data).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
    expect(withUsage).toHaveLength(plain.length + 1);
  });

  it('are generated alike from the same seed, and fill the limit when the end is ignored', async () => {
    const answers: string[] = [];
    for (const seed of [5, 5, 6]) {
      await start({ mode: 'generate', seed });
      const { body } = await postJson('/v1/chat/completions', { ...chat, max_tokens: 40, ignore_eos: true });
      expect(body.usage.completion_tokens).toBe(40);
      answers.push(body.choices[0].message.content);
      await running.close();
    }
    expect(answers[1]).toBe(answers[0]);
    expect(answers[2]).not.toBe(answers[0]);
    await start();
  });

  it('differ from prompt to prompt, and are as long as the model allows when no limit is given', async () => {
    await start({ mode: 'generate' });
    const ask = async (content: string) =>
      (
        await postJson('/v1/chat/completions', {
          model: 'llama',
          messages: [{ role: 'user', content }],
          max_tokens: 20,
          ignore_eos: true,
        })
      ).body;
    expect((await ask('one')).choices[0].message.content).not.toBe((await ask('two')).choices[0].message.content);
    await running.close();
    await start({ profile: { maxModelTokens: 400 } });
    const { body } = await postJson('/v1/chat/completions', {
      model: 'llama',
      messages: [{ role: 'user', content: 'word '.repeat(300) }],
    });
    expect(body.usage.total_tokens).toBe(400);
    expect(body.choices[0].finish_reason).toBe('length');
  });

  it('are aborted when the client goes away', async () => {
    await start({ speed: 1 });
    const gone = new AbortController();
    const response = await post(
      '/v1/chat/completions',
      { ...chat, max_tokens: 5000, ignore_eos: true, stream: true },
      gone.signal,
    );
    await response.body!.getReader().read();
    expect(running.engine.runningSequences).toBe(1);
    gone.abort();
    for (let i = 0; i < 100 && running.engine.runningSequences > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect([running.engine.runningSequences, running.engine.kv.usageRatio, running.engine.stats.finished.abort]).toEqual([
      0, 0, 1,
    ]);
  });
});

describe('the other interfaces', () => {
  it('completions take text, one text in a list, or token numbers, 16 tokens unless told otherwise', async () => {
    await start();
    const text = await postJson('/v1/completions', { model: 'llama', prompt: ['one two three'], max_tokens: 2 });
    expect(text.body.choices[0]).toMatchObject({ text: 'one two', finish_reason: 'length' });
    const numbers = await postJson('/v1/completions', { model: 'llama', prompt: Array.from({ length: 30 }, (_, i) => i) });
    expect(numbers.body.usage).toMatchObject({ prompt_tokens: 30, completion_tokens: 16 });
    const stream = await postStream('/v1/completions', { model: 'llama', prompt: 'one two' });
    expect(stream.map(({ data }) => data.choices?.[0].text)).toEqual(['one', ' two', '', undefined]);
  });

  it('responses stream their events in order, and count', async () => {
    await start();
    const stream = await postStream('/v1/responses', { model: 'llama', input: 'one two', instructions: 'be brief' });
    expect(stream.map(({ event }) => event!.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(stream.map(({ data }) => data.sequence_number)).toEqual(stream.map((_, index) => index));
    expect(stream.at(-1)!.data.response).toMatchObject({ status: 'completed', usage: { output_tokens: 2 } });
    const cut = await postJson('/v1/responses', {
      model: 'llama',
      input: [{ role: 'user', content: 'one two' }],
      max_output_tokens: 1,
    });
    expect(cut.body).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it('messages say why they stopped, and count cached tokens apart', async () => {
    await start();
    const body = {
      model: 'llama',
      max_tokens: 2,
      system: 'be brief',
      messages: [{ role: 'user', content: 'one two three '.repeat(20) }],
    };
    const first = await postJson('/v1/messages', body);
    const second = await postJson('/v1/messages', body);
    expect(first.body).toMatchObject({ stop_reason: 'max_tokens', usage: { cache_read_input_tokens: 0, output_tokens: 2 } });
    const { input_tokens: fresh, cache_read_input_tokens: cached } = second.body.usage;
    expect(cached).toBeGreaterThan(0);
    expect(fresh + cached).toBe(first.body.usage.input_tokens);
    const stream = await postStream('/v1/messages', { ...body, max_tokens: 1 });
    expect(stream.map(({ event }) => event)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it('embeddings are unit vectors, equal for equal texts', async () => {
    await start();
    const { body } = await postJson('/v1/embeddings', { model: 'llama', input: ['a b', 'c', 'a b'], dimensions: 8 });
    const vectors = body.data.map(({ embedding }: { embedding: number[] }) => embedding);
    expect(vectors[2]).toEqual(vectors[0]);
    expect(vectors[1]).not.toEqual(vectors[0]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(body.usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });
    const packed = await postJson('/v1/embeddings', { model: 'llama', input: 'c', dimensions: 8, encoding_format: 'base64' });
    const bytes = Buffer.from(packed.body.data[0].embedding, 'base64');
    expect([...new Float32Array(bytes.buffer, bytes.byteOffset, 8)]).toEqual(vectors[1].map(Math.fround));
  });

  it('models list the base model and adapters that come and go', async () => {
    await start({ models: ['llama', 'llama-alias'], adapters: { red: '/red' } });
    const ids = async () =>
      ((await (await fetch(`${running.url}/v1/models`)).json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    expect(await ids()).toEqual(['llama', 'llama-alias', 'red']);
    expect((await post('/v1/load_lora_adapter', { lora_name: 'blue', lora_path: '/blue' })).status).toBe(200);
    expect((await post('/v1/unload_lora_adapter', { lora_name: 'red' })).status).toBe(200);
    expect(await ids()).toEqual(['llama', 'llama-alias', 'blue']);
    expect((await postJson('/v1/chat/completions', { ...chat, model: 'blue' })).body.model).toBe('blue');
    expect((await postJson('/v1/chat/completions', { ...chat, model: 'red' })).status).toBe(404);
  });
});

describe('errors', () => {
  const cases: [title: string, path: string, body: unknown, status: number, message: RegExp][] = [
    ['a body that is not JSON', '/v1/chat/completions', '{"model":', 400, /not JSON/],
    ['a body that is no object', '/v1/completions', '[]', 400, /must be a JSON object/],
    ['a model that does not exist', '/v1/chat/completions', { ...chat, model: 'nope' }, 404, /`nope` does not exist/],
    ['no model', '/v1/chat/completions', { messages: chat.messages }, 400, /model must be a string/],
    ['no messages', '/v1/chat/completions', { model: 'llama' }, 400, /messages must be a list/],
    [
      'a message without role',
      '/v1/chat/completions',
      { model: 'llama', messages: [{ content: 'x' }] },
      400,
      /messages\[0\]\.role/,
    ],
    [
      'a content that is a number',
      '/v1/chat/completions',
      { model: 'llama', messages: [{ role: 'user', content: 4 }] },
      400,
      /content must be/,
    ],
    [
      'a limit below 1',
      '/v1/chat/completions',
      { ...chat, max_tokens: 0 },
      400,
      /max_tokens must be a whole number from 1 \(got 0\)/,
    ],
    [
      'more tokens than the model takes',
      '/v1/chat/completions',
      { ...chat, max_tokens: 1_000_000 },
      400,
      /context length is 32768 tokens/,
    ],
    ['several choices', '/v1/chat/completions', { ...chat, n: 2 }, 400, /n above 1 is not simulated/],
    ['a stream flag that is text', '/v1/chat/completions', { ...chat, stream: 'yes' }, 400, /stream must be true or false/],
    ['an empty prompt', '/v1/completions', { model: 'llama', prompt: '' }, 400, /prompt is empty/],
    ['several prompts', '/v1/completions', { model: 'llama', prompt: ['a', 'b'] }, 400, /prompt must be/],
    ['messages without a limit', '/v1/messages', chat, 400, /max_tokens is required/],
    ['an empty embedding', '/v1/embeddings', { model: 'llama', input: [''] }, 400, /input must be/],
    ['an adapter without path', '/v1/load_lora_adapter', { lora_name: 'a' }, 400, /lora_path must be/],
    [
      'an adapter with the name of the model',
      '/v1/load_lora_adapter',
      { lora_name: 'llama', lora_path: '/x' },
      400,
      /base model/,
    ],
    ['an adapter that is not there', '/v1/unload_lora_adapter', { lora_name: 'a' }, 404, /cannot be found/],
    ['a path that does not exist', '/v1/nothing', {}, 404, /Not Found/],
    ['a path with another method', '/v1/models', {}, 405, /Method/],
  ];
  it.each(cases)('%s', async (_title, path, given, status, message) => {
    await start();
    const { status: got, body } = await postJson(path, given);
    expect(got).toBe(status);
    expect(body.error).toMatchObject({ message: expect.stringMatching(message), code: status });
    expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  });

  it('answer 429 when the queue is full', async () => {
    await start({ speed: 1, profile: { maxRunningSequences: 1, maxWaitingRequests: 0 } });
    const slow = post('/v1/chat/completions', { ...chat, ignore_eos: true, max_tokens: 5000 }).catch(() => undefined);
    for (let i = 0; i < 100 && running.engine.runningSequences === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const { status, body } = await postJson('/v1/chat/completions', chat);
    expect([status, body.error.type]).toEqual([429, 'RateLimitError']);
    await running.close();
    await slow;
    await start();
  });

  it('answer 503 until the model is loaded', async () => {
    await start({ profile: { loadMs: 20_000 } });
    expect((await fetch(`${running.url}/health`)).status).toBe(503);
    expect((await postJson('/v1/chat/completions', chat)).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 220));
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
    expect((await postJson('/v1/chat/completions', chat)).status).toBe(200);
  });
});

describe('metrics', () => {
  const value = (page: string, series: string) =>
    Number(
      page
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    );
  const labels = 'engine="0",model_name="llama"';

  it('show what runs, waits and is in memory', async () => {
    await start({
      speed: 1,
      adapters: { red: '/red' },
      podName: 'engine-7',
      profile: { maxRunningSequences: 2, kvBlocks: 100, maxModelTokens: 1600 },
    });
    const slow = Array.from({ length: 3 }, () =>
      post('/v1/chat/completions', { ...chat, model: 'red', ignore_eos: true, max_tokens: 1000 }).catch(() => undefined),
    );
    for (let i = 0; i < 100 && running.engine.waitingRequests !== 1; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    const response = await fetch(`${running.url}/metrics`);
    expect(response.headers.get('x-inference-pod')).toBe('engine-7');
    const page = await response.text();
    expect(value(page, `vllm:num_requests_running{${labels}}`)).toBe(2);
    expect(value(page, `vllm:num_requests_waiting{${labels}}`)).toBe(1);
    expect(value(page, `vllm:kv_cache_usage_perc{${labels}}`)).toBeCloseTo(running.engine.kv.usageRatio, 1);
    expect(
      value(page, 'vllm:lora_requests_info{max_lora="1",running_lora_adapters="red",waiting_lora_adapters=""}'),
    ).toBeGreaterThan(1.7e9);
    expect(
      value(page, 'vllm:cache_config_info{block_size="16",enable_prefix_caching="True",engine="0",num_gpu_blocks="100"}'),
    ).toBe(1);
    await running.close();
    await Promise.all(slow);
    await start();
  });

  it('count what was done, with cumulative buckets that end in the count', async () => {
    await start();
    for (let i = 0; i < 3; i++) await postJson('/v1/chat/completions', { ...chat, max_tokens: 3 });
    const page = await (await fetch(`${running.url}/metrics`)).text();
    expect(value(page, `vllm:request_success_total{${labels},finished_reason="stop"}`)).toBe(3);
    expect(value(page, `vllm:generation_tokens_total{${labels}}`)).toBe(9);
    expect(value(page, `vllm:time_to_first_token_seconds_count{${labels}}`)).toBe(3);
    expect(value(page, `vllm:time_to_first_token_seconds_bucket{${labels},le="+Inf"}`)).toBe(3);
    expect(value(page, `vllm:request_generation_tokens_bucket{${labels},le="2"}`)).toBe(0);
    expect(value(page, `vllm:request_generation_tokens_bucket{${labels},le="5"}`)).toBe(3);
    for (const line of page.split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) vllm:\w+ .+|vllm:\w+\{(\w+="[^"]*",?)+\} [-+.e\d]+|)$/);
    }
  });
});
