import type { Sample } from './samples';
import { memoryTrend, soakReport, verdicts } from './soak-report';

const samples = (picker: (index: number) => number, perSecond = 300): Sample[] =>
  Array.from({ length: 20 }, (_, index) => ({
    seconds: 10 * index,
    perSecond,
    p50Ms: 20,
    p99Ms: 50,
    rssMb: { picker: picker(index), envoy: 100 },
    cores: { picker: 0.1, envoy: 0.2 },
  }));
const rest = { 'open streams': 0 };
const saw = (index: number): number => 120 + 8 * (index % 4);

test('memory that goes up and down is flat, memory that goes up is not', () => {
  expect(verdicts(samples(saw), [], rest, 300)).toEqual([]);
  expect(
    memoryTrend(
      samples((index) => 100 + index),
      'picker',
    ),
  ).toEqual({ meanMb: 109.5, riseMb: 19 });
  expect(
    verdicts(
      samples((index) => 100 + index),
      [],
      rest,
      300,
    ),
  ).toEqual(['the memory of picker rose by 19.0 MB']);
});

test('a failure, something left over, or a machine that is too slow is a finding', () => {
  const failure = { model: 'm', status: 503, target: 't', pod: undefined, why: 'no', sentMs: 0, endedMs: 1 };
  expect(verdicts(samples(saw), [failure], rest, 300)).toEqual(['1 requests failed, the first with 503: no']);
  expect(verdicts(samples(saw), [], { 'open streams': 2 }, 300)).toEqual(['2 open streams are left after the last answer']);
  expect(verdicts(samples(saw, 200), [], rest, 300)).toEqual(['200 of 300 requests per second were answered']);
});

test('the report names what was found, every process, and the course of the run', () => {
  const run = { minutes: 1, rate: 300, sent: 18_000, left: 9, failures: [], samples: samples(saw), judged: samples(saw) };
  const report = soakReport({ ...run, leftover: rest, findings: [] });
  expect(report).toContain('18000 requests, 0 failed, 9 clients left early on purpose.');
  expect(report).toContain('**Passed**');
  expect(report).toContain('| picker | 132.0 MB |');
  expect(report.split('\n').filter((line) => line.includes('min |')).length).toBe(10);
});
