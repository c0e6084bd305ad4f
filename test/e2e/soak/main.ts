import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stopAll } from '../../components/process';
import { Load, type LoadRequest } from '../support/load';
import { type Sample, Sampler } from './samples';
import { soakReport, verdicts } from './soak-report';
import { MODELS, type SoakStack, startSoakStack } from './stack';

const HELP = `npm run soak -- [flags]

  --minutes N      length of the run (30)
  --rate N         requests per second (300)
  --every N        seconds from sample to sample (10)
  --markdown FILE  where the result goes (standard output)
`;

/** Caches fill and compilers warm up in this part of a run, which is not judged. */
const WARMUP_RATIO = 1 / 3;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '300' },
      every: { type: 'string', default: '10' },
      markdown: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [minutes, rate, everySeconds] = [
    positive('minutes', values.minutes),
    positive('rate', values.rate),
    positive('every', values.every),
  ];
  const stack = await startSoakStack();
  const load = Load.start({ perSecond: rate, targets: () => [stack.address], request: (index) => requestOf(index, stack) });
  const sampler = new Sampler(stack.processes, load);
  const samples: Sample[] = [];
  const endMs = Date.now() + minutes * 60_000;
  while (Date.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, everySeconds * 1000));
    const sample = sampler.take();
    samples.push(sample);
    process.stderr.write(
      `${sample.seconds.toFixed(0)} s: ${sample.perSecond.toFixed(0)}/s, ${load.failures.length} failures, p99 ${sample.p99Ms} ms, picker ${sample.rssMb['picker']!.toFixed(0)} MB\n`,
    );
  }
  const { failures, sent } = await load.stop();
  const leftover = await stack.leftover();
  const judged = samples.slice(Math.floor(samples.length * WARMUP_RATIO));
  const findings = verdicts(judged, failures, leftover, rate);
  const report = soakReport({ minutes, rate, sent, left: load.left, failures, samples, judged, leftover, findings });
  if (values.markdown === undefined) process.stdout.write(report);
  else writeFileSync(values.markdown, report);
  for (const finding of findings) process.stderr.write(`FAILED ${finding}\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

/** Two models, six clients, half of them streams, conversations that share their beginning, and one client in fifty that leaves early. */
function requestOf(index: number, { keys }: SoakStack): LoadRequest {
  const conversation = index % 40;
  const turn = `Conversation ${conversation} begins with the same words each time. `.repeat(1 + (conversation % 8));
  return {
    model: MODELS[index % 3 === 0 ? 1 : 0]!,
    stream: index % 2 === 0,
    prompt: `${turn} Question ${index}.`,
    maxTokens: 4 + (index % 9),
    headers: { authorization: `Bearer ${keys[index % keys.length]}` },
    ...(index % 50 === 49 ? { leaveAfterMs: 20 } : {}),
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`--${flag} must be a number above 0 (got '${text}')`);
}

main()
  .catch((error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  })
  .finally(stopAll);
