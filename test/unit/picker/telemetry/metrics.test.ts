import fc from 'fast-check';
import type { Outcome } from '../../../../src/picker/ext-proc/director';
import { ErrorLog } from '../../../../src/picker/telemetry/error-log';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { Bounds, Histogram } from '../../../../src/picker/telemetry/histogram';
import { LabelLimiter } from '../../../../src/picker/telemetry/label-limiter';
import { createLog, logLevel, logProblems } from '../../../../src/picker/telemetry/log';
import { RequestMetrics } from '../../../../src/picker/telemetry/request-metrics';
import { SchedulerMetrics } from '../../../../src/picker/telemetry/scheduler-metrics';
import { ManualClock } from '../../../../src/shared/clock';

const DONE: Outcome = {
  status: 200,
  inputTokens: 100,
  outputTokens: 11,
  cachedTokens: 40,
  requestBytes: 500,
  responseBytes: 900,
  firstByteMs: 200,
  cause: 'natural',
};

function page(metrics: RequestMetrics): string {
  const out = new Exposition();
  let text = '';
  for (const _ of metrics.write(out)) text += out.take();
  return text + out.take();
}

test('an observation counts in the first bucket that holds it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 4_000, noNaN: true }), (value) => {
      const histogram = new Histogram(Bounds.REQUEST_SECONDS);
      histogram.observe(value);
      const expected = Bounds.REQUEST_SECONDS.findIndex((bound) => value <= bound);
      expect(histogram.counts.indexOf(1)).toBe(expected === -1 ? Bounds.REQUEST_SECONDS.length : expected);
      expect(histogram.sum).toBe(value);
    }),
  );
});

test('bounds rise', () => {
  for (const bounds of Object.values(Bounds)) expect([...bounds]).toEqual([...bounds].sort((a, b) => a - b));
});

test('a histogram is written cumulated, and label values are escaped', () => {
  const out = new Exposition();
  const histogram = new Histogram(Float64Array.of(1, 2));
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
  out.family('h', 'histogram', 'Help.');
  out.histogram('h', ['a', 'q"\\\n'], histogram);
  out.sample('g', [], Number.POSITIVE_INFINITY);
  expect(out.take()).toBe(
    '# HELP h Help.\n# TYPE h histogram\nh_bucket{a="q\\"\\\\\\n",le="1"} 2\nh_bucket{a="q\\"\\\\\\n",le="2"} 3\n' +
      'h_bucket{a="q\\"\\\\\\n",le="+Inf"} 4\nh_sum{a="q\\"\\\\\\n"} 12\nh_count{a="q\\"\\\\\\n"} 4\ng +Inf\n',
  );
  expect(out.take()).toBe('');
});

test('a request is counted from its start to its end', () => {
  const metrics = new RequestMetrics();
  const series = metrics.series('m', 't', 'default-flow');
  expect(metrics.series('m', 't', 'default-flow')).toBe(series);
  series.started(500);
  expect(page(metrics)).toContain(
    'llm_d_epp_request_running{fairness_id="default-flow",model_name="m",priority="0",target_model_name="t"} 1',
  );
  series.itlSeconds.observe(0.04);
  series.settled(DONE, 1_200, true);
  const text = page(metrics);
  const labels = 'fairness_id="default-flow",model_name="m",priority="0",target_model_name="t"';
  for (const line of [
    `llm_d_epp_request_total{${labels}} 1`,
    `llm_d_epp_request_running{${labels}} 0`,
    `llm_d_epp_request_duration_seconds_sum{${labels}} 1.2`,
    `llm_d_epp_request_size_bytes_sum{${labels}} 500`,
    `llm_d_epp_response_size_bytes_sum{${labels}} 900`,
    `llm_d_epp_request_input_tokens_sum{${labels}} 100`,
    `llm_d_epp_request_output_tokens_sum{${labels}} 11`,
    `llm_d_epp_request_cached_tokens_sum{${labels}} 40`,
    `llm_d_epp_request_streaming_tpot_seconds_sum{${labels}} 0.1`,
    `llm_d_epp_request_streaming_itl_seconds_sum{${labels}} 0.04`,
    `llm_d_epp_request_ttft_seconds_sum{${labels},streaming="true"} 0.2`,
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('error_total{');
});

test.each([
  ['an answer with an error status', { ...DONE, status: 503 }, 'error_code="503"'],
  ['a request that failed', { ...DONE, status: 0, cause: 'error' as const }, 'error_code="error"'],
])('%s counts as an error, and not in the durations', (_, outcome, code) => {
  const metrics = new RequestMetrics();
  const series = metrics.series('m', 'm', 'f');
  series.started(1);
  series.settled(outcome, 10, false);
  expect(page(metrics)).toMatch(new RegExp(`llm_d_epp_request_error_total{${code},[^}]*} 1\n`));
  expect(page(metrics)).toMatch(/llm_d_epp_request_duration_seconds_count{[^}]*} 0\n/);
});

test('a client that goes away is no error', () => {
  const metrics = new RequestMetrics();
  const series = metrics.series('m', 'm', 'f');
  series.started(1);
  series.settled({ ...DONE, status: 0, cause: 'client-disconnect' }, 10, false);
  expect(page(metrics)).not.toContain('error_total{');
});

test('names that clients invent end in one series', () => {
  const metrics = new RequestMetrics();
  for (let i = 0; i < 6_000; i++) metrics.series(`m${i}`, `m${i}`, `f${i}`).started(1);
  const text = page(metrics);
  expect(text.match(/^llm_d_epp_request_total\{/gm)!.length).toBeLessThanOrEqual(4_001);
  expect(text).toMatch(/request_total{fairness_id="other",model_name="other",priority="0",target_model_name="other"} \d{4}/);
});

test('a label keeps its first values and cuts the rest', () => {
  const limiter = new LabelLimiter(2);
  expect(['a', 'b', 'c', 'a', 'x'.repeat(300)].map((value) => limiter.admit(value))).toEqual(['a', 'b', 'other', 'a', 'other']);
});

test('attempts are counted by endpoint, and endpoints that keep changing end in one series', () => {
  const metrics = new SchedulerMetrics();
  for (let i = 0; i < 11_000; i++) {
    const [name, address, port] = [`pod-${i}`, '10.0.0.1', 1_000 + i];
    metrics.success('m', { name, address, port, labels: {}, ready: true, hostPort: `${address}:${port}` });
  }
  metrics.failure('m');
  const out = new Exposition();
  metrics.write(out);
  const text = out.take();
  expect(text).toContain('{endpoint_name="pod-0",namespace="default",port="1000",status="success",target_model_name="m"} 1\n');
  expect(text).toContain(
    '{endpoint_name="other",namespace="other",port="other",status="success",target_model_name="other"} 1000\n',
  );
  expect(text).toContain('status="failure",target_model_name="m"} 1\n');
});

test('a flood of failures is logged in part, and its size afterwards', () => {
  const lines: string[] = [];
  const clock = new ManualClock();
  const errors = new ErrorLog(createLog('info', { write: (line: string) => lines.push(line) }), clock);
  for (let i = 0; i < 1_000; i++) errors.add(new Error('broken'));
  expect(lines.length).toBe(20);
  clock.advance(10_000);
  errors.add('broken again');
  expect(lines.slice(20).map((line) => JSON.parse(line))).toMatchObject([{ count: 980 }, { err: { message: 'broken again' } }]);
});

test('a problem is one line of JSON', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => lines.push(line) });
  logProblems(log, 'broken', [{ code: 'AIG500', what: 'w', fix: 'f', where: 'a:1:2' }]);
  log.debug('unseen');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 'error',
      time: expect.stringMatching(/^\d{4}-/),
      code: 'AIG500',
      where: 'a:1:2',
      msg: 'broken: AIG500 w: f [a:1:2]',
    },
  ]);
});

test.each([
  [0, 'info'],
  [2, 'info'],
  [3, 'debug'],
  [5, 'trace'],
])('verbosity %i is level %s', (verbosity, level) => {
  expect(logLevel(verbosity)).toBe(level);
});
