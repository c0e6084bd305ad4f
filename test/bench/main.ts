import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stopAll } from '../components/process';
import { behindEnvoy } from './behind-envoy/behind-envoy';
import { type Durations, measure, type SubjectRun } from './measure';
import { compare, doubts, table } from './report';
import { scenarios } from './scenarios';
import { canPin } from './support/pinning';
import { picker, rival, type Subject } from './support/subjects';

const help = `npm run bench -- [flags]

  --synth            synthesis alone
  --validate         validation alone: 1,000 documents, and the command on one file
  --scheduling       decisions alone, without a transport: by endpoints, models and prompts
  --admission        what identity, limits in memory and the queue add to a request, instead
  --store            what limits in Redis cost, beside plain INCR, instead (redis-server, or REDIS_SERVER)
  --noisy-neighbour  critical requests beside a sheddable flood, and equal tenants beside a greedy one, instead (7 minutes)
  --quality          how well requests are routed, behind Envoy and beside other routers; \`--quality --help\` has its flags
  --quality-simulated  how well requests are routed, in virtual time, alone

of the picker:

  --quick            8 endpoints, one repetition, short runs (about 1 minute)
  --endpoints LIST   numbers of endpoints (8,32,100)
  --repeat N         repetitions, of which medians are shown (3)
  --only TEXT        only work whose name contains this, e.g. '1 KB, closed'
  --rival-only       leave the picker out: what does the reference do here?
  --behind-envoy     Envoy in front of the picker and simulated engines, instead
  --prompts N        N prompts, no two alike, and the picker's memory meanwhile, instead
  --json FILE        everything measured, as JSON
`;

const full: Durations = { seconds: 5, warmupSeconds: 2, idleSeconds: 5 };
const quick: Durations = { seconds: 2, warmupSeconds: 1, idleSeconds: 2 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      endpoints: { type: 'string' },
      repeat: { type: 'string' },
      only: { type: 'string' },
      'rival-only': { type: 'boolean' },
      'behind-envoy': { type: 'boolean' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const durations = values.quick ? quick : full;
  const repetitions = count('--repeat', values.repeat ?? (values.quick ? '1' : '3'));
  const other = rival();
  const subjects = values['rival-only'] ? [other] : [picker, other];
  if (!canPin) process.stderr.write('cores cannot be set apart here: server and client share them\n');
  if (values['behind-envoy']) {
    const results = await behindEnvoy(subjects, durations, repetitions);
    if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 2));
    return;
  }

  const counts = (values.endpoints ?? (values.quick ? '8' : '8,32,100')).split(',').map((text) => count('--endpoints', text));
  const list = scenarios(counts).filter((scenario) => scenario.name.includes(values.only ?? ''));
  const runs: SubjectRun[] = [];
  for (let round = 0; round < repetitions; round++) {
    for (const endpoints of counts) {
      const work = list.filter((scenario) => scenario.endpoints === endpoints);
      // In turn, so that a bad moment of the machine does not hit one subject alone.
      for (const subject of alternating(subjects, round)) {
        process.stderr.write(`round ${round + 1}, ${endpoints} endpoints, ${subject.name}\n`);
        runs.push(await measure(subject, endpoints, work, durations));
      }
    }
  }
  const lines = compare(runs, list, picker.name);
  process.stdout.write(
    `${table(lines, picker.name, other.name)}\n${doubts(runs)
      .map((doubt) => `! ${doubt}\n`)
      .join('')}`,
  );
  if (values.json) writeFileSync(values.json, JSON.stringify({ lines, runs }, undefined, 2));
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} must be a whole number from 1 (got '${text}')`);
  return value;
}

function alternating(subjects: readonly Subject[], round: number): readonly Subject[] {
  return round % 2 === 0 ? subjects : [...subjects].reverse();
}

main()
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => stopAll());
