import OpenAI from 'openai';
import { describeWith } from '../components/describe-with';
import { type RunningEnvoy, startEnvoy } from '../components/envoy-bootstrap';
import { type PickerProcess, startPicker } from '../components/picker-process';
import { eventually } from '../components/process';
import { type EngineProcess, startEngine } from '../components/simulated-engine';

jest.setTimeout(30_000);

describeWith(['envoy'], 'an OpenAI client, Envoy, the picker and three engines', ({ envoy: program }) => {
  let engines: EngineProcess[];
  let picker: PickerProcess;
  let envoy: RunningEnvoy;
  let client: OpenAI;

  beforeAll(async () => {
    // One place in each batch: whatever an engine has beyond that waits, and shows in its metrics.
    const flags = '--mode echo --speed 4 --profile maxRunningSequences=1 --profile maxModelTokens=65536';
    engines = await Promise.all([0, 1, 2].map((i) => startEngine([...flags.split(' '), '--pod-name', `engine-${i}`])));
    const ports = engines.map((engine) => engine.port);
    picker = await startPicker(ports);
    envoy = await startEnvoy(program, { pickerPort: picker.grpcPort, enginePorts: ports });
    // Retries of the client would hide what the proxy and the picker do.
    client = new OpenAI({ apiKey: 'none', baseURL: `${envoy.url}/v1`, maxRetries: 0 });
    await eventually('the first answer', async () => (await fetch(`${envoy.url}/v1/models`)).ok);
  });
  afterAll(async () => {
    // A picker without connections ends at once; one with connections first tells its clients.
    await envoy?.process.stop();
    await Promise.all([picker, ...(engines ?? [])].map((running) => running?.stop()));
  });

  const chat = (content: string, extra: object = {}) => ({
    model: 'llama',
    messages: [{ role: 'user' as const, content }],
    ...extra,
  });

  async function served(content: string): Promise<string | null> {
    const { response } = await client.chat.completions.create(chat(content)).withResponse();
    return response.headers.get('x-inference-pod');
  }

  /** Holds an engine's only place, and fills its queue, without the picker knowing of it. */
  function occupy(engine: EngineProcess, requests: number): AbortController {
    const held = new AbortController();
    const body = JSON.stringify({ model: 'llama', prompt: 'x', max_tokens: 60_000, ignore_eos: true });
    for (let i = 0; i < requests; i++) {
      fetch(`${engine.url}/v1/completions`, { method: 'POST', body, signal: held.signal }).catch(() => undefined);
    }
    return held;
  }

  async function gauge(engine: EngineProcess, name: string): Promise<number> {
    const page = await (await fetch(`${engine.url}/metrics`)).text();
    return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(page)![1]);
  }

  it('answers a chat completion as JSON', async () => {
    const { data, response } = await client.chat.completions.create(chat('one two three')).withResponse();
    expect(data.choices[0]!.message.content).toBe('one two three');
    expect(data.usage!.completion_tokens).toBe(3);
    expect(response.headers.get('x-inference-pod')).toMatch(/^engine-[012]$/);
  });

  it('streams a chat completion with its usage', async () => {
    const stream = await client.chat.completions.create({
      ...chat('a stream of words'),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe('a stream of words');
    expect(usage).toMatchObject({ completion_tokens: 4 });
  });

  it('passes on the other interfaces', async () => {
    const completion = await client.completions.create({ model: 'llama', prompt: 'one two' });
    expect(completion.choices[0]!.text).toBe('one two');
    const response = await client.responses.create({ model: 'llama', input: 'one two' });
    expect(response.output_text).toBe('one two');
    const embedding = await client.embeddings.create({ model: 'llama', input: 'one two', dimensions: 8 });
    expect(embedding.data[0]!.embedding).toHaveLength(8);
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['llama']);
  });

  it('carries a large prompt to the engine unchanged', async () => {
    const content = Array.from({ length: 20_000 }, (_, i) => `word${i % 977} "quoted" \\ ü`)
      .join('\n')
      .slice(0, 100_000);
    const body = JSON.stringify(chat(content, { max_tokens: 1 }));
    const ask = async (url: string) =>
      (await (
        await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      ).json()) as OpenAI.ChatCompletion;
    const [behind, direct] = [await ask(envoy.url), await ask(engines[0]!.url)];
    expect(behind.usage!.prompt_tokens).toBe(direct.usage!.prompt_tokens);
    expect(direct.usage!.prompt_tokens).toBeGreaterThan(30_000);
  });

  it('answers many clients at once', async () => {
    const contents = Array.from({ length: 40 }, (_, i) => `client number ${i}`);
    const answers = await Promise.all(contents.map((content) => client.chat.completions.create(chat(content))));
    expect(answers.map((answer) => answer.choices[0]!.message.content)).toEqual(contents);
  });

  it('passes on the errors of an engine', async () => {
    const wrong = client.chat.completions.create(chat('x', { max_tokens: 1_000_000 }));
    await expect(wrong).rejects.toMatchObject({ status: 400, error: { message: expect.stringContaining('context length') } });
  });

  it('tells the engine that its client went away', async () => {
    const stream = await client.chat.completions.create({ ...chat('x', { max_tokens: 60_000, ignore_eos: true }), stream: true });
    for await (const _chunk of stream) break;
    stream.controller.abort();
    await eventually('all engines are idle', async () => {
      const running = await Promise.all(engines.map((engine) => gauge(engine, 'vllm:num_requests_running')));
      return running.every((count) => count === 0);
    });
    await expect(served('after the abort')).resolves.toMatch(/^engine-/);
  });

  it('sends requests where nobody waits', async () => {
    for (const free of [2, 0]) {
      const holds = engines.filter((_, i) => i !== free).map((engine) => occupy(engine, 6));
      await eventually('queues', async () => {
        const waiting = await Promise.all(engines.map((engine) => gauge(engine, 'vllm:num_requests_waiting')));
        return waiting.every((count, i) => count === (i === free ? 0 : 5));
      });
      // Longer than any scrape interval in use.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const pods: (string | null)[] = [];
      for (let i = 0; i < 6; i++) pods.push(await served(`distinct request ${free}/${i}`));
      expect(pods).toEqual(Array.from({ length: 6 }, () => `engine-${free}`));
      for (const hold of holds) hold.abort();
    }
  });

  it('follows a change of the endpoints', async () => {
    picker.setEndpoints([engines[1]!.port]);
    await eventually('only the listed engine answers', async () => {
      const pods = [await served('who'), await served('are'), await served('you')];
      return pods.every((pod) => pod === 'engine-1');
    });
    picker.setEndpoints(engines.map((engine) => engine.port));
    await eventually('another engine answers again', async () => (await served(`back ${Math.random()}`)) !== 'engine-1');
  });

  it('ends the stream of an engine that is killed, and loses no request after it', async () => {
    const endless = { ...chat('x', { max_tokens: 60_000, ignore_eos: true }), stream: true as const };
    const { data: stream, response } = await client.chat.completions.create(endless).withResponse();
    const pod = response.headers.get('x-inference-pod')!;
    await engines[Number(pod.slice(-1))]!.stop('SIGKILL');
    const consume = async () => {
      for await (const chunk of stream) expect(chunk.choices[0]!.finish_reason).toBeNull();
    };
    await expect(consume()).rejects.toThrow(/terminated|closed|aborted/i);

    const pods = new Set<string | null>();
    for (let i = 0; i < 30; i++) pods.add(await served(`after the kill ${i}`));
    expect(pods.size).toBeGreaterThan(0);
    expect(pods.has(pod)).toBe(false);
  });
});
