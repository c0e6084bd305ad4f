import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { scraperProgram } from '../../.ci/scraper-program.cjs';
import { cacheFolder } from './resolver';

const built = new Map<string, string>();

/**
 * A program of `src`, or one that a path from there leads to, as one file that a plain Node process runs; built from the sources as they are,
 * and named by its content.
 */
export function bundled(entry: string): string {
  const known = built.get(entry);
  if (known !== undefined) return known;
  const result = buildSync({
    entryPoints: [join(__dirname, '..', '..', 'src', entry)],
    bundle: true,
    platform: 'node',
    target: 'node20',
    define: scraperProgram(join(__dirname, '..', '..')),
    write: false,
  });
  const text = result.outputFiles[0]!.text;
  const name = entry
    .replace(/^(\.\.\/)*/, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-');
  const path = join(cacheFolder(), 'bundles', `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.js`);
  if (!existsSync(path)) {
    mkdirSync(join(cacheFolder(), 'bundles'), { recursive: true });
    // Renamed into place, because test files run at the same time.
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  }
  built.set(entry, path);
  return path;
}
