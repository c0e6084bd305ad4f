import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeWith } from '../components/describe-with';
import { type RunningEnvoy, startEnvoy } from '../components/envoy-bootstrap';
import { type PickerProcess, startPicker } from '../components/picker-process';
import { eventually } from '../components/process';

jest.setTimeout(30_000);

interface State {
  waiting: number;
  kvRatio: number;
}

/** An endpoint whose metrics a test dictates; it answers any request with its own number. */
class ScriptedEndpoint {
  state: State = { waiting: 0, kvRatio: 0 };
  scrapes = 0;
  private readonly server: Server;

  constructor(readonly index: number) {
    this.server = createServer((request, response) => {
      request.resume();
      if (request.url !== '/metrics') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ model: 'llama', endpoint: index, choices: [] }));
        return;
      }
      this.scrapes++;
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      const gauge = (name: string, value: number) =>
        `# TYPE vllm:${name} gauge\nvllm:${name}{engine="0",model_name="llama"} ${value}\n`;
      response.end(
        gauge('num_requests_waiting', this.state.waiting) +
          gauge('num_requests_running', 1) +
          gauge('kv_cache_usage_perc', this.state.kvRatio) +
          '# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{block_size="16",num_gpu_blocks="4096"} 1\n',
      );
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

describeWith(
  ['envoy', 'epp'],
  'our picker and the reference, with the same configuration and the same engines',
  ({ envoy, epp }) => {
    // Each picker has endpoints of its own, so that it is known when it has seen a state.
    const sides: { endpoints: ScriptedEndpoint[]; picker: PickerProcess; proxy: RunningEnvoy }[] = [];

    beforeAll(async () => {
      for (const program of [undefined, epp]) {
        const endpoints = [0, 1, 2].map((index) => new ScriptedEndpoint(index));
        const ports = await Promise.all(endpoints.map((endpoint) => endpoint.listen()));
        const picker = await startPicker(ports, program);
        const proxy = await startEnvoy(envoy, { pickerPort: picker.grpcPort, enginePorts: ports });
        sides.push({ endpoints, picker, proxy });
      }
    });
    afterAll(async () => {
      for (const { endpoints, picker, proxy } of sides) {
        // A picker without connections ends at once; one with connections first tells its clients.
        await proxy.process.stop();
        await picker.stop();
        for (const endpoint of endpoints) endpoint.close();
      }
    });

    /** Dictates a state to both, and waits until both have read it twice. */
    async function script(states: readonly State[]): Promise<void> {
      for (const { endpoints } of sides) {
        for (const [i, endpoint] of endpoints.entries()) {
          endpoint.state = states[i]!;
          endpoint.scrapes = 0;
        }
      }
      await eventually('both pickers have read the state', () =>
        sides.every(({ endpoints }) => endpoints.every(({ scrapes }) => scrapes >= 3)),
      );
    }

    async function chosen(prompt: string): Promise<{ ours: number; reference: number }> {
      const body = JSON.stringify({ model: 'llama', messages: [{ role: 'user', content: prompt }] });
      const [ours, reference] = await Promise.all(
        sides.map(async ({ proxy }) => {
          const response = await fetch(`${proxy.url}/v1/chat/completions`, {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json' },
          });
          const text = await response.text();
          if (!response.ok) throw new Error(`${response.status} ${text}`);
          return (JSON.parse(text) as { endpoint: number }).endpoint;
        }),
      );
      return { ours: ours!, reference: reference! };
    }

    let unique = 0;
    /** Longer than a block of the prefix index, and different from its first word on. */
    const freshPrompt = (length = 40) => `${++unique} `.repeat(8) + 'something that was never said before '.repeat(length);

    const waiting = (...counts: number[]): State[] => counts.map((count) => ({ waiting: count, kvRatio: 0.2 }));
    const full = (...ratios: number[]): State[] => ratios.map((ratio) => ({ waiting: 0, kvRatio: ratio }));

    // Scores of the default profile: queue (weight 2) from 1 for the shortest to 0 for the longest, memory (weight 2) as what is free.
    const cases: [title: string, states: State[], endpoint: number][] = [
      ['the shortest queue', waiting(5, 0, 9), 1],
      ['the shortest queue, however long all are', waiting(120, 130, 110), 2],
      ['the emptiest memory', full(0.9, 0.5, 0.1), 2],
      [
        'memory before queue, where the queue is 2.2 against 2',
        [
          { waiting: 0, kvRatio: 0.9 },
          { waiting: 10, kvRatio: 0 },
          { waiting: 10, kvRatio: 0.5 },
        ],
        0,
      ],
      [
        'a middle way, where both extremes score less',
        [
          { waiting: 0, kvRatio: 0.9 },
          { waiting: 10, kvRatio: 0 },
          { waiting: 5, kvRatio: 0.3 },
        ],
        2,
      ],
    ];
    it.each(cases)('choose %s', async (_title, states, endpoint) => {
      await script(states);
      for (let i = 0; i < 4; i++) expect(await chosen(freshPrompt())).toEqual({ ours: endpoint, reference: endpoint });
    });

    it('go back to where a long prefix is cached, though others have nothing to do, and send other prompts there', async () => {
      const conversation = freshPrompt(100);
      await script(waiting(0, 8, 8));
      expect(await chosen(conversation)).toEqual({ ours: 0, reference: 0 });
      await script(waiting(4, 0, 8));
      expect(await chosen(`${conversation} and then`)).toEqual({ ours: 0, reference: 0 });
      expect(await chosen(freshPrompt(100))).toEqual({ ours: 1, reference: 1 });
    });

    it('leave a cached prefix when queue and memory together weigh more', async () => {
      const conversation = freshPrompt(100);
      await script(waiting(0, 8, 8));
      expect(await chosen(conversation)).toEqual({ ours: 0, reference: 0 });
      await script([
        { waiting: 9, kvRatio: 1 },
        { waiting: 0, kvRatio: 0 },
        { waiting: 9, kvRatio: 1 },
      ]);
      expect(await chosen(`${conversation} and then`)).toEqual({ ours: 1, reference: 1 });
    });
  },
);
