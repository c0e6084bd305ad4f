import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type * as client from '../../../src/picker/kube/cluster-client';
import type * as sources from '../../../src/picker/kube/kube-sources';
import type * as policies from '../../../src/picker/kube/llmd-policies';
import type * as pool from '../../../src/picker/kube/pool-discovery';
import type * as selector from '../../../src/picker/kube/selector-discovery';
import { cacheFolder } from '../../components/resolver';

type Kube = typeof client & typeof policies & typeof sources & typeof pool & typeof selector;

const PARTS = ['cluster-client', 'llmd-policies', 'kube-sources', 'pool-discovery', 'selector-discovery'];

/**
 * src/picker/kube with the real client, which is an ES module that jest cannot load, as one file: all parts from one bundle, because each
 * bundle has classes of its own.
 */
export function loadKube(): Kube {
  const root = join(__dirname, '../../..');
  const contents = PARTS.map((part) => `export * from './src/picker/kube/${part}';`).join('\n');
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    write: false,
  });
  const { text } = outputFiles[0]!;
  const folder = join(cacheFolder(), 'bundles');
  const path = join(folder, `kube-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.js`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    // renamed into place, because test files run at the same time
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  }
  return require(path) as Kube;
}
