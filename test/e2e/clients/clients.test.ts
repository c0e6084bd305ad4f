import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import type { Cluster } from '../../support/cluster/cluster';
import { KEY, startGuide } from '../support/guide';

jest.setTimeout(300_000);

const LLAMA = 'llama-3-70b';
const MISTRAL = 'mistral-7b-instruct';
/** Of the same pool as the first, and shed before it. */
const BATCH = 'llama-3-70b-batch';
const run = promisify(execFile);

describeWith(
  ['etcd', 'kube-apiserver', 'envoy', 'curl', 'python-clients'],
  'clients of the guide',
  ({ curl, 'python-clients': python, ...programs }) => {
    let cluster: Cluster;
    let url: string;

    beforeAll(async () => {
      cluster = await startGuide(programs);
      url = `http://${cluster.addresses('ai-gateway-proxy', 'http')[0]}`;
      for (const model of [LLAMA, MISTRAL]) {
        await eventually(`${model} is served`, async () => (await curlChat('--http1.1', { model })).status === 200, 60_000);
      }
    });
    afterAll(() => cluster?.stop());

    interface CurlAnswer {
      readonly status: number;
      readonly version: string;
      readonly headers: Readonly<Record<string, string[]>>;
      readonly body: string;
    }

    async function curlChat(
      version: string,
      body: object,
      headers: readonly string[] = [`authorization: Bearer ${KEY}`],
    ): Promise<CurlAnswer> {
      const sent = JSON.stringify({ max_tokens: 8, messages: [{ role: 'user', content: 'hello' }], ...body });
      const { stdout } = await run(curl, [
        ...[
          '--silent',
          '--show-error',
          '--max-time',
          '30',
          version,
          '--data',
          sent,
          '--header',
          'content-type: application/json',
        ],
        ...headers.flatMap((header) => ['--header', header]),
        ...['--write-out', '\n%{http_code} %{http_version}\n%{header_json}', `${url}/v1/chat/completions`],
      ]);
      const [, text, status, used, head] = /^(.*)\n(\d+) ([\d.]+)\n(\{.*)$/s.exec(stdout)!;
      return { status: Number(status), version: used!, headers: JSON.parse(head!), body: text! };
    }

    describe.each([
      ['HTTP/1.1', '--http1.1', '1.1'],
      ['HTTP/2', '--http2-prior-knowledge', '2'],
    ])('curl over %s', (_title, flag, version) => {
      it('gets an answer, a stream, and refusals in the shape of the API', async () => {
        const answer = await curlChat(flag, { model: LLAMA });
        expect(answer).toMatchObject({ status: 200, version });
        expect(JSON.parse(answer.body)).toMatchObject({ object: 'chat.completion', model: LLAMA });
        expect(Number(answer.headers['x-ratelimit-remaining-tokens']![0])).toBeGreaterThan(0);

        const stream = await curlChat(flag, { model: MISTRAL, stream: true });
        expect(stream.headers['content-type']).toEqual(['text/event-stream; charset=utf-8']);
        expect(stream.body.trimEnd().endsWith('data: [DONE]')).toBe(true);

        expect(await curlChat(flag, { model: LLAMA }, [])).toMatchObject({ status: 401 });
        const unknown = await curlChat(flag, { model: 'gpt-9' });
        expect(unknown.status).toBe(404);
        expect(JSON.parse(unknown.body).error.code).toBe('model_not_found');
      });

      it('chooses neither pool nor engine by the headers of the picker', async () => {
        const forged = ['x-aig-pool: mistral-7b', 'x-gateway-destination-endpoint: 127.0.0.1:1', 'x-aig-client-id: team-b'];
        const answer = await curlChat(flag, { model: LLAMA }, [`authorization: Bearer ${KEY}`, ...forged]);
        expect(answer).toMatchObject({ status: 200, headers: { 'x-inference-pod': [expect.stringMatching(/^llama-/)] } });
      });
    });

    it('OpenAI’s client for Node gets answers and streams', async () => {
      const client = new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 });
      const messages = [{ role: 'user' as const, content: 'tell me something' }];
      const whole = await client.chat.completions.create({ model: LLAMA, messages, max_tokens: 12 });
      expect(whole).toMatchObject({ model: LLAMA, usage: { completion_tokens: 12 } });
      let pieces = 0;
      for await (const chunk of await client.chat.completions.create({
        model: MISTRAL,
        messages,
        max_tokens: 12,
        stream: true,
      })) {
        expect(chunk.model).toBe(MISTRAL);
        pieces += chunk.choices[0]?.delta.content ? 1 : 0;
      }
      expect(pieces).toBeGreaterThan(1);
      const wrong = client.chat.completions.create({ model: 'gpt-9', messages });
      await expect(wrong).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    });

    it('OpenAI’s client for Python gets all its interfaces', async () => {
      const { stdout } = await run(python, [path.join(__dirname, 'openai_client.py'), url, KEY, LLAMA, MISTRAL]);
      expect(JSON.parse(stdout)).toEqual({
        text: expect.stringMatching(/\S/),
        model: LLAMA,
        usage: 12,
        streamed: expect.stringMatching(/\S/),
        streamedUsage: 12,
        streamedModels: [LLAMA],
        // the picker asks the engine for it, and takes it out again
        usageUnasked: false,
        completionUsage: 5,
        response: expect.stringMatching(/^(completed|incomplete)$/),
        models: [LLAMA, BATCH, MISTRAL],
        unknownModel: ['NotFoundError', 404, 'invalid_request_error'],
        unknownKey: ['AuthenticationError', 401, 'authentication_error'],
      });
    });

    it('Anthropic’s client for Python gets messages and streams of them', async () => {
      const { stdout } = await run(python, [path.join(__dirname, 'anthropic_client.py'), url, KEY, LLAMA]);
      expect(JSON.parse(stdout)).toEqual({
        text: expect.stringMatching(/\S/),
        model: LLAMA,
        stop: 'max_tokens',
        usage: 12,
        streamed: expect.stringMatching(/\S/),
        streamedUsage: 12,
        unknownModel: ['NotFoundError', 404, 'error', 'not_found_error'],
        unknownKey: ['AuthenticationError', 401, 'error', 'authentication_error'],
      });
    });

    it('a client that spends its budget gets 429 and the time to wait, in the terms of its SDK', async () => {
      const words = 'word '.repeat(6_000);
      const spend = (): Promise<CurlAnswer> =>
        curlChat('--http1.1', {
          model: LLAMA,
          messages: [{ role: 'user', content: `${Math.random()} ${words}` }],
          max_tokens: 1,
        });
      let refused: CurlAnswer | undefined;
      for (let sent = 0; refused === undefined && sent < 60; sent++) {
        const answer = await spend();
        if (answer.status !== 200) refused = answer;
      }
      expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': [expect.stringMatching(/^\d+$/)] } });
      const client = new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 });
      const messages = [{ role: 'user' as const, content: words }];
      await expect(client.chat.completions.create({ model: LLAMA, messages })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    });
  },
);
