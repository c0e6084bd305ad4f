// `npm run fuzz`: bundles the fuzzer and runs it; `--help` lists the flags.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const fuzz = import.meta.dirname;
const root = join(fuzz, '..', '..');
const program = join(root, '.cache', 'fuzz.cjs');
buildSync({
  entryPoints: [join(fuzz, 'main.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // where the stored inputs are
  define: { __dirname: JSON.stringify(fuzz) },
});
process.exitCode = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit', cwd: root }).status ?? 1;
