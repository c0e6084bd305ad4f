// `npm run bench`: bundles the harness and its child programs, then runs it. `--help` lists the flags.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const bench = import.meta.dirname;
const out = join(bench, '..', '..', '.cache', 'bench');
buildSync({
  entryPoints: {
    main: join(bench, 'main.ts'),
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
});
const args = process.argv.slice(2);
const done = spawnSync(process.execPath, [join(out, 'main.js'), ...args], { stdio: 'inherit', env: { ...process.env, BENCH_PROGRAMS: out } });
process.exitCode = done.status ?? 1;
