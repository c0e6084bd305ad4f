import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz, keep } from './fuzz';
import { FUZZ_TARGETS } from './targets';

const help = `npm run fuzz -- [flags]

  --inputs N      inputs of all parsers together (10,000,000; configuration files take a hundredth of a share, because YAML is slow)
  --seed N        the same seed gives the same inputs (the time)
  --target TEXT   only parsers whose name contains this
`;

function main(): number {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      target: { type: 'string', default: '' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const targets = FUZZ_TARGETS.filter(({ name }) => name.includes(values.target));
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  let total = 0;
  let failed = 0;
  process.stdout.write(`seed ${values.seed}\n| Parser | Inputs | Inputs/s | |\n|---|--:|--:|---|\n`);
  for (const target of targets) {
    const inputs = Math.ceil((Number(values.inputs) * target.share) / shares);
    const startedMs = performance.now();
    const failure = fuzz(target, inputs, Number(values.seed));
    const perSecond = Math.round((inputs * 1e3) / (performance.now() - startedMs));
    const verdict = failure === undefined ? 'holds' : `FAILS: ${keep(failure, join('.cache', 'fuzz'))}, cut at ${failure.cut}`;
    process.stdout.write(
      `| ${target.name} | ${inputs.toLocaleString('en')} | ${perSecond.toLocaleString('en')} | ${verdict} |\n`,
    );
    if (failure !== undefined) {
      failed++;
      process.stderr.write(`${failure.error.stack}\n`);
    } else {
      total += inputs;
    }
  }
  process.stdout.write(`${total.toLocaleString('en')} inputs, ${failed} parsers failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
