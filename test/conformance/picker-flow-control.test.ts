import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../components/describe-with';
import { writeEndpoints } from '../components/picker-files';
import { eventually } from '../components/process';
import type { Reply } from '../fixtures/ext-proc/messages';
import type { ExtProcStream } from '../integration/picker-program/ext-proc-client';
import { type PairMember, PickerPair } from './picker-pair';

/** One engine that may work on two requests; three may wait, in turn between tenants. */
const SECTION = `flowControl:
  defaultRequestTTL: 3s
  maxRequests: 3
  saturationDetector: {pluginRef: detector}
  priorityBands:
  - {priority: 0, maxRequests: 10, fairnessPolicyRef: round-robin-fairness-policy, orderingPolicyRef: fcfs-ordering-policy}
`;
const PLUGINS = `- {type: round-robin-fairness-policy}
- {type: fcfs-ordering-policy}
- {name: detector, type: concurrency-detector, parameters: {maxConcurrency: 2}}
`;

interface Sent {
  readonly stream: ExtProcStream;
  readonly reply: Promise<Reply | undefined>;
}

/** What the other side of the proxy would see. */
interface Answer {
  readonly status: number | undefined;
  readonly dropped: string | undefined;
  readonly message: string | undefined;
}

describeWith(['epp'], 'flow control of the picker and of the reference, by the same configuration', ({ epp }) => {
  const pair = new PickerPair();
  const both = ['ours', 'theirs'] as const;

  beforeAll(
    () =>
      pair.start(
        epp,
        1,
        [],
        (config) => `${config.replace('plugins:\n', `featureGates: [flowControl]\nplugins:\n${PLUGINS}`)}${SECTION}`,
      ),
    60_000,
  );
  afterAll(() => pair.stop());

  function send({ client }: PairMember, tenant: string): Sent {
    const stream = client.open();
    stream.chat('m', `for ${tenant}`, { 'x-llm-d-inference-fairness-id': tenant });
    return { stream, reply: stream.next() };
  }

  async function answerOf({ stream, reply }: Sent): Promise<Answer> {
    const { status, set, body } = (await reply)!;
    stream.end();
    await stream.ended;
    // the reference answers in plain text, this picker in the shape of the API
    const text = String(body ?? '');
    const message = text.startsWith('{') ? (JSON.parse(text) as { error: { message: string } }).error.message : text;
    return { status, dropped: set?.['x-llm-d-request-dropped-reason'], message };
  }

  async function queued(member: PairMember, count: number): Promise<void> {
    await eventually(`${count} requests in the queue`, async () => (await queueSize(member)) === count);
  }

  async function queueSize(member: PairMember): Promise<number> {
    const sizes = [...(await member.metrics()).matchAll(/^llm_d_epp_flow_control_queue_size\{[^}]*\} (\d+)$/gm)];
    return sizes.reduce((sum, [, size]) => sum + Number(size), 0);
  }

  /** Two that run, and three that wait in this order. */
  async function fill(member: PairMember): Promise<{ running: Sent[]; waiting: Map<string, Sent> }> {
    const running = [send(member, 'first'), send(member, 'first')];
    for (const { reply } of running) expect((await reply)?.set?.['x-gateway-destination-endpoint']).toBeDefined();
    const waiting = new Map<string, Sent>();
    for (const [index, name] of ['a1', 'a2', 'b1'].entries()) {
      waiting.set(name, send(member, name[0]!));
      await queued(member, index + 1);
    }
    return { running, waiting };
  }

  async function clear(sent: Iterable<Sent>): Promise<void> {
    for (const { stream } of sent) {
      stream.end();
      await stream.ended;
    }
  }

  test.each(both)('%s: three wait, a fourth is refused, tenants go on in turn', async (which) => {
    const member = pair[which];
    const { running, waiting } = await fill(member);
    // one who has most in the queue: for another, this picker would give up one of his (F9)
    expect(await answerOf(send(member, 'a'))).toEqual({
      status: 429,
      dropped: 'rejected-saturated',
      message: 'inference error: ResourceExhausted - request rejected pre-queue: queue at capacity',
    });
    const order: string[] = [];
    for (const [name, { reply }] of waiting) {
      void reply.then((answer) => {
        if (answer?.set?.['x-gateway-destination-endpoint'] !== undefined) order.push(name);
      });
    }
    // whoever has got on ends next, so that there is always room for one more
    const ending = [...running];
    for (let count = 1; count <= waiting.size; count++) {
      ending.shift()!.stream.end();
      // the reference sometimes lets two go on at one end: it counts the first only when it is on its way
      await eventually(`dispatch ${count}`, () => (which === 'ours' ? order.length === count : order.length >= count));
      ending.push(waiting.get(order[count - 1]!)!);
    }
    await clear(waiting.values());
    // in the reference, whose turn it is does not depend on who came first
    expect(which === 'ours' ? order : [...order].sort()).toEqual(which === 'ours' ? ['a1', 'b1', 'a2'] : ['a1', 'a2', 'b1']);
    expect(order.indexOf('a1')).toBeLessThan(order.indexOf('a2'));
  });

  test.each(both)('%s: whoever waits too long is refused', async (which) => {
    const member = pair[which];
    const { running, waiting } = await fill(member);
    const answers = await Promise.all([...waiting.values()].map(answerOf));
    expect(answers).toEqual(
      Array(3).fill({
        status: 429,
        dropped: 'rejected-ttl-expired',
        message:
          'inference error: ResourceExhausted - request timed out in queue: request evicted from queue: request TTL expired',
      }),
    );
    await clear(running);
  });

  test.each(both)('%s: a client that goes away leaves the queue', async (which) => {
    const member = pair[which];
    const { running, waiting } = await fill(member);
    await clear(waiting.values());
    await queued(member, 0);
    await clear(running);
  });

  test('both refuse in the same words when there is no endpoint', async () => {
    const answers: Answer[] = [];
    for (const which of both) {
      const member = pair[which];
      writeFileSync(join(member.folder, 'endpoints.yaml'), 'endpoints: []\n');
      await eventually('no endpoint', async () => /llm_d_epp_ready_endpoints\{[^}]*\} 0$/m.test(await member.metrics()), 15_000);
      answers.push(await answerOf(send(member, 'x')));
      writeEndpoints(join(member.folder, 'endpoints.yaml'), pair.ports);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 503, dropped: 'rejected-no-endpoints' });
  }, 60_000);

  test('the counters and their labels are the same, but that two outcomes are told apart here', async () => {
    const totals = async (member: PairMember): Promise<string[]> =>
      [...(await member.metrics()).matchAll(/^llm_d_epp_flow_control_requests_total\{(.*)\} \d+$/gm)]
        .map(([, labels]) => labels!)
        .sort();
    const [ours, theirs] = await Promise.all([totals(pair.ours), totals(pair.theirs)]);
    // the reference counts these as EvictedTTL: it notices neither who half-closes, nor why nobody could be served
    const finer = ['EvictedContextCancelled', 'EvictedNoEndpoints'];
    expect(ours.filter((labels) => !finer.some((outcome) => labels.includes(outcome)))).toEqual(theirs);
  });

  test('families have the same names, types, labels and buckets, but for two', async () => {
    const shape = async (member: PairMember): Promise<Map<string, string>> => {
      const found = new Map<string, string>();
      const page = await member.metrics();
      for (const [, name, type] of page.matchAll(/^# TYPE (llm_d_epp_flow_control_\w+) (\w+)$/gm)) {
        const samples = [...page.matchAll(new RegExp(`^${name}(?:_bucket)?\\{(.*?)\\} `, 'gm'))].map(([, labels]) => labels!);
        const names = samples.map((labels) => [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label).join());
        const bounds = new Set(samples.flatMap((labels) => /le="([^"]*)"/.exec(labels)?.[1] ?? []));
        found.set(name!, `${type} ${[...new Set(names)].join(' ')} ${[...bounds].join()}`);
      }
      return found;
    };
    const [ours, theirs] = await Promise.all([shape(pair.ours), shape(pair.theirs)]);
    for (const absent of ['dispatch_cycle_duration_seconds', 'request_enqueue_duration_seconds']) {
      expect(theirs.delete(`llm_d_epp_flow_control_${absent}`)).toBe(true);
    }
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });
});
