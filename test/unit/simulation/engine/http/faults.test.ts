import { type RunEngineOptions, type RunningEngine, runEngine } from '../../../../../src/simulation/engine/run-engine';
import { eventually } from '../../../../components/process';

let running: RunningEngine;
afterEach(() => running.close());

async function start(options: RunEngineOptions = {}): Promise<void> {
  running = await runEngine({ mode: 'echo', speed: 100, ...options });
}

async function send(path: string, body: object): Promise<Response> {
  return fetch(running.url + path, { method: 'POST', body: JSON.stringify(body) });
}

const ask = (more: object = {}): Promise<Response> =>
  send('/v1/chat/completions', { model: 'llama', messages: [{ role: 'user', content: 'one two three' }], ...more });

async function inject(faults: object): Promise<void> {
  expect((await send('/simulation/faults', faults)).status).toBe(200);
}

async function metric(name: string): Promise<number> {
  const page = await (await fetch(`${running.url}/metrics`)).text();
  return Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(page)?.[1]);
}

test('a stalled engine takes requests, is healthy, answers nobody, and goes on where it stopped', async () => {
  await start({ faults: { stalled: true } });
  let answered = false;
  const answer = ask().then((response) => {
    answered = true;
    return response;
  });
  await eventually('the request waits', async () => (await metric('num_requests_waiting')) === 1);
  expect([(await fetch(`${running.url}/health`)).status, answered]).toEqual([200, false]);
  await inject({ stalled: false });
  expect((await answer).status).toBe(200);
});

test('an engine that stalls in the middle of a stream brings the rest of it when it goes on', async () => {
  await start({ speed: 1, profile: { stepOverheadMs: 20 } });
  const stream = await ask({ stream: true });
  await eventually('a first token', () => running.engine.stats.generationTokens > 0);
  await inject({ stalled: true });
  const before = running.engine.stats.generationTokens;
  await inject({ stalled: false });
  expect((await stream.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
  expect(running.engine.stats.generationTokens).toBeGreaterThan(before - 1);
});

test('a share of the requests fails with the status that is asked for, and other paths do not', async () => {
  await start({ faults: { errorRatio: 0.5, errorStatus: 503 } });
  const statuses: number[] = [];
  for (let sent = 0; sent < 60; sent++) statuses.push((await ask()).status);
  const failed = statuses.filter((status) => status === 503).length;
  expect(failed).toBeGreaterThan(15);
  expect(failed).toBeLessThan(45);
  expect(statuses.filter((status) => status !== 503 && status !== 200)).toEqual([]);
  expect((await fetch(`${running.url}/v1/models`)).status).toBe(200);
});

test('an answer is cut after its tokens, streamed or not, and its memory is free again', async () => {
  await start({ faults: { cutRatio: 1, cutAfterTokens: 2 } });
  const stream = await ask({ stream: true });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream.body!) text += decoder.decode(chunk as Uint8Array);
  };
  await expect(read()).rejects.toThrow();
  expect(text).toContain('" two"');
  expect(text).not.toContain('[DONE]');
  await expect(ask()).rejects.toThrow();
  await eventually('nobody runs', () => running.engine.runningSequences === 0 && running.engine.kv.usageRatio === 0);
});

test('the metrics page says what it is told to, and the truth again', async () => {
  await start();
  const gauges = ['num_requests_waiting', 'num_requests_running', 'kv_cache_usage_perc'];
  await inject({ reportedWaiting: 7, reportedRunning: 8, reportedKvUsageRatio: 0.9 });
  expect(await Promise.all(gauges.map(metric))).toEqual([7, 8, 0.9]);
  await inject({ reportedWaiting: -1, reportedRunning: -1, reportedKvUsageRatio: -1 });
  expect(await Promise.all(gauges.map(metric))).toEqual([0, 0, 0]);
});

test('a metrics page that hangs leaves everything else alone', async () => {
  await start({ faults: { metricsHang: true } });
  await expect(fetch(`${running.url}/metrics`, { signal: AbortSignal.timeout(300) })).rejects.toThrow();
  expect((await ask()).status).toBe(200);
});

test('wrong faults are refused together, and change nothing', async () => {
  await start();
  const answer = await send('/simulation/faults', { slowFactor: 0.5, stalled: 'yes', wedged: true, errorRatio: 1 });
  expect(answer.status).toBe(400);
  const { error } = (await answer.json()) as { error: { message: string } };
  for (const part of ['slowFactor has a wrong value (got 0.5; allowed: 1 to 1000000)', 'stalled has', "no fault 'wedged'"]) {
    expect(error.message).toContain(part);
  }
  expect(((await (await fetch(`${running.url}/simulation/faults`)).json()) as { errorRatio: number }).errorRatio).toBe(0);
  await expect(runEngine({ faults: { errorStatus: 200 } })).rejects.toThrow(/AIG591 fault errorStatus/);
});

test('an engine that drains finishes what is under way, takes nothing new, and ends', async () => {
  await start({ speed: 1, profile: { stepOverheadMs: 30 } });
  const stream = await ask({ stream: true });
  await eventually('a first token', () => running.engine.stats.generationTokens > 0);
  const drained = running.drain();
  await expect(ask()).rejects.toThrow();
  expect((await stream.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
  await drained;
});
