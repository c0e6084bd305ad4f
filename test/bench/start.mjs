// `npm run bench`: bundles the harness and its child programs, then runs it: synthesis first, validation then, decisions alone, the picker
// last. `--help` lists the flags: some run a part of it or another comparison alone, and any other flag the picker alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const bench = import.meta.dirname;
const out = join(bench, '..', '..', '.cache', 'bench');
buildSync({
  entryPoints: {
    main: join(bench, 'main.ts'),
    synth: join(bench, 'synth.ts'),
    validate: join(bench, 'validate.ts'),
    scheduling: join(bench, 'scheduling.bench.ts'),
    admission: join(bench, 'admission.bench.ts'),
    store: join(bench, 'store.bench.ts'),
    'noisy-neighbour': join(bench, 'noisy-neighbour.bench.ts'),
    quality: join(bench, 'quality.ts'),
    'quality-live': join(bench, 'quality-live', 'main.ts'),
    'distinct-prompts': join(bench, 'distinct-prompts.ts'),
    load: join(bench, 'load', 'main.ts'),
    'static-metrics': join(bench, 'static-metrics.ts'),
    'echo-server': join(bench, 'echo-server.ts'),
    'http-load': join(bench, 'behind-envoy', 'http-load.ts'),
    engine: join(bench, '..', '..', 'src', 'simulation', 'engine', 'main.ts'),
  },
  outdir: out,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // what a user of the library has beside it, and what bundles further programs: the folder of the result is as deep as those of the sources
  external: ['cdk8s', 'constructs', 'cdk8s-plus-28', 'esbuild', '*/.ci/scraper-program.cjs'],
});
const args = process.argv.slice(2);
const run = (program, ...flags) =>
  spawnSync(process.execPath, [join(out, program), ...flags], { stdio: 'inherit', env: { ...process.env, BENCH_PROGRAMS: out } }).status ?? 1;
if (args[0] === '--quality') process.exit(run('quality-live.js', ...args.slice(1)));
if (args[0] === '--quality-simulated') process.exit(run('quality.js', ...args.slice(1)));
if (args[0] === '--prompts') process.exit(run('distinct-prompts.js', ...args.slice(1)));
const always = ['synth', 'validate', 'scheduling'];
const parts = [...always, 'admission', 'store', 'noisy-neighbour'].filter((part) =>
  args.length === 0 ? always.includes(part) : args.includes(`--${part}`),
);
const statuses = parts.map((part) => run(`${part}.js`));
if (args.length === 0 || parts.length === 0) statuses.push(run('main.js', ...args));
process.exitCode = Math.max(...statuses);
