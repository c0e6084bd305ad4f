// Builds when a source is newer than what was built from it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const SOURCES = ['src', 'imports', 'examples', 'package.json', 'tsconfig.json', '.ci/build.mjs'];
const RESULTS = ['dist/lib/src/index.js', 'dist/lib/src/index.d.ts', 'dist/picker/main.js', 'dist/bin/cdk8s-ai-gateway.js'];

/** Brings dist/ up to date; does nothing when it is. */
export function ensureBuilt() {
  const results = RESULTS.map((file) => join(root, file));
  const oldest = results.every((file) => existsSync(file)) ? Math.min(...results.map((file) => statSync(file).mtimeMs)) : 0;
  if (SOURCES.every((source) => newest(join(root, source)) <= oldest)) return;
  console.log('Building …');
  const { status } = spawnSync(process.execPath, [join(root, '.ci/build.mjs')], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(path)
      .filter((name) => /^[^.]/.test(name) && !name.endsWith('.yaml'))
      .map((name) => newest(join(path, name))),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt();
