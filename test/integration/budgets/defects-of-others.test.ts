import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { freePort, type RunningProcess, startProcess } from '../../components/process';
import { holds, PickerBehindEnvoy, scratchFolder, send } from './behind-envoy';

const ROOT = path.join(__dirname, '../../..');
const UNIT = 'test/unit/picker/tokens/budgets.test.ts';
const REDIS = 'test/integration/budgets/redis.test.ts';
const HERE = 'test/integration/budgets/defects-of-others.test.ts';

/** What was read in the source of other limiters of tokens, and the test here that would fail with it. */
const DEFECTS: readonly (readonly [defect: string, file: string, test: string])[] = [
  ['kthena: an answer longer than what is left deducts nothing', UNIT, 'a long answer near the limit is not free'],
  ['agentgateway: a correction below zero is forgiven', UNIT, 'a long answer near the limit is not free'],
  ['kthena: input stays charged when output is refused', UNIT, 'input is not charged when another rule refuses the request'],
  ['semantic-router: rules are consumed one by one, without a way back', REDIS, 'all limits of a request, or none'],
  [
    'semantic-router: a fixed window from the first request on',
    UNIT,
    'a window slides: twice the limit does not pass around its border',
  ],
  ['semantic-router: the estimate of the input is never corrected', UNIT, 'an input estimate is corrected by the real usage'],
  ['semantic-router: buckets of users are never forgotten', UNIT, 'keys that are not used any more are forgotten'],
  ['semantic-router: limits of tokens hold in one replica alone', REDIS, 'pickers together never let more pass than the budget'],
  ['AIBrix: read, compare, increment', REDIS, 'pickers together never let more pass than the budget'],
  [
    'Envoy AI Gateway: all of many pass before the first is charged',
    UNIT,
    'concurrent requests do not all pass before the first is charged',
  ],
  ['kthena: a store that is away holds requests up for seconds', REDIS, 'holds a request no longer than its timeout'],
  [
    'kthena: a store that is away is told as 429',
    'test/unit/picker/director/budget-admission.test.ts',
    'refuses with 503 when it cannot be asked and the limit is closed',
  ],
  ['kthena: a removed limit stays', UNIT, 'a removed rule is gone'],
  [
    'AIBrix: a stream without include_usage is refused',
    'test/integration/budgets/memory.test.ts',
    'a stream reaches a client byte by byte as without a budget',
  ],
  [
    'AIBrix: a store that fails behind an answer makes 500 of it',
    HERE,
    'a store that goes away during an answer changes nothing of it',
  ],
  ['AIBrix: usage that comes in two chunks gives 500', HERE, 'usage that comes in two pieces is counted'],
  ['Envoy AI Gateway: the header of what remains does not fall', HERE, 'what remains falls with each answer'],
];

test.each(DEFECTS)('%s: there is a test', (_, file, name) => {
  const title = new RegExp(`\\btest(\\.each\\(.*?\\))?\\(\\s*'[^']*${name}`, 's');
  expect(readFileSync(path.join(ROOT, file), 'utf8')).toMatch(title);
});

describeWith(
  ['envoy', 'redis-server'],
  'an answer behind real Envoy, with budgets in Redis',
  ({ envoy, 'redis-server': program }) => {
    const { folder, remove } = scratchFolder();
    let redis: RunningProcess;
    let engine: RunningEngine;
    let pieces: Server;
    let world: PickerBehindEnvoy;

    beforeAll(async () => {
      const port = await freePort();
      redis = await startProcess(program, {
        args: ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
        ready: { port },
      });
      engine = await runEngine({ models: ['llama'] });
      // the usage ends in the middle of a number, and goes on a moment later
      pieces = createServer(async (incoming, answer) => {
        if (incoming.method !== 'POST') {
          answer.end();
          return;
        }
        let body = '';
        for await (const chunk of incoming) body += chunk;
        const isStream = JSON.parse(body).stream === true;
        const usage = { prompt_tokens: 1_234, completion_tokens: 567 };
        const json = JSON.stringify({ object: 'chat.completion', model: 'pieces', choices: [], usage });
        const text = isStream
          ? `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\ndata: ${json}\n\ndata: [DONE]\n\n`
          : json;
        answer.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
        const cut = text.indexOf('1234') + 2;
        answer.write(text.slice(0, cut));
        await sleep(30);
        answer.end(text.slice(cut));
      });
      await new Promise<void>((done) => pieces.listen(0, '127.0.0.1', done));
      const pools = { llama: engine.port, pieces: (pieces.address() as AddressInfo).port };
      for (const [name, enginePort] of Object.entries(pools)) {
        const endpoints = [{ name, address: '127.0.0.1', port: String(enginePort) }];
        writeFileSync(path.join(folder, `${name}.yaml`), JSON.stringify({ endpoints }));
      }
      const policy = {
        apiVersion: 'cdk8s-ai-gateway.dev/v1alpha1',
        kind: 'PickerPolicy',
        pools: Object.keys(pools).map((name) => ({ name, endpoints: { file: { path: `${folder}/${name}.yaml` } } })),
        models: Object.keys(pools).map((name) => ({ name, targets: [{ pool: name }] })),
        limits: [{ name: 'each', unit: 'tokens', amount: 1_000_000, windowSeconds: 86_400, key: { source: 'model' } }],
        store: { redis: { address: `127.0.0.1:${port}`, timeoutMs: 500 } },
      };
      writeFileSync(path.join(folder, 'policy.yaml'), JSON.stringify(policy));
      world = await PickerBehindEnvoy.start(envoy, folder, pools);
      await holds(async () => expect((await world.chat({}, { model: 'llama', max_tokens: 1 })).status).toBe(200));
    }, 60_000);

    afterAll(async () => {
      await world?.stop();
      await redis?.stop();
      await engine?.close();
      pieces?.close();
      remove();
    });

    const used = async (model: string): Promise<number> => {
      const { highest } = (await world.limits())[0]!;
      return Number(highest.find(({ key }) => key === model)?.['used'] ?? 0);
    };

    test.each([false, true])('usage that comes in two pieces is counted (stream: %s)', async (stream) => {
      const before = await used('pieces');
      const answer = await world.chat({}, { model: 'pieces', stream, max_tokens: 9 });
      expect(answer.status).toBe(200);
      await holds(async () => expect(await used('pieces')).toBe(before + 1_234 + 567));
    });

    test('what remains falls with each answer', async () => {
      const remaining = async (): Promise<number> => {
        const { headers } = await world.chat({}, { model: 'pieces', max_tokens: 9 });
        return Number(headers['x-ratelimit-remaining-tokens']);
      };
      const first = await remaining();
      await holds(async () => expect(first - (await remaining())).toBeGreaterThanOrEqual(1_234 + 567));
    });

    test('a store that goes away during an answer changes nothing of it', async () => {
      const body = {
        model: 'llama',
        messages: [{ role: 'user', content: 'go on' }],
        stream: true,
        max_tokens: 150,
        ignore_eos: true,
      };
      const answer = send(world.port, 'POST', '/v1/chat/completions', {}, body);
      await holds(async () => expect(engine.engine.runningSequences).toBe(1));
      await redis.stop('SIGKILL');
      expect(engine.engine.runningSequences).toBe(1);
      const whole = await answer;
      expect([whole.status, whole.body.trimEnd().endsWith('data: [DONE]')]).toEqual([200, true]);
      expect(whole.body.split('"delta":{"content"').length - 1).toBeGreaterThanOrEqual(150);
      // a new request is another matter: its budget cannot be checked
      expect((await world.chat({}, { model: 'llama' })).status).toBe(503);
    });
  },
);
