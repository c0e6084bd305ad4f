// `npm run soak`: bundles the run and its engine, then runs it. `--help` lists the flags.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '../../..');
const out = join(root, '.cache/soak');
buildSync({
  entryPoints: { main: join(import.meta.dirname, 'main.ts'), engine: join(root, 'src/simulation/engine/main.ts') },
  outdir: out,
  bundle: true,
  platform: 'node',
  target: 'node20',
});
const { status } = spawnSync(process.execPath, [join(out, 'main.js'), ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
