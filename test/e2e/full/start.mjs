// `npm run e2e:full`: test/e2e with faults that last minutes, then test/e2e/full. Envoy Gateway opens fixed ports on every address, so the
// latter run in a network of their own where the system lets a user make one.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '../../..');
const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', '.ci/jest.config.cjs'];
const env = { ...process.env, E2E: 'full', AIG_INSTALL: '1' };
const run = (program, args) => spawnSync(program, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;

const first = run(process.execPath, [...jest, 'test/e2e', '--testPathIgnorePatterns', '/node_modules/', 'test/e2e/full/']);
install();
const inside = [process.execPath, ...jest, 'test/e2e/full', '--runInBand'];
const alone = ['-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
const canBeAlone = spawnSync('unshare', [...alone, 'true']).status === 0;
if (!canBeAlone) console.log('no network of its own can be made here: ports 20080, 18000 to 18002 and 19003 must be free');
const second = canBeAlone ? run('unshare', [...alone, ...inside]) : run(inside[0], inside.slice(1));
process.exitCode = first || second;

/** What cannot be fetched from inside that network. */
function install() {
  const file = join(root, '.cache/e2e/resolver.cjs');
  buildSync({ entryPoints: [join(root, 'test/components/resolver.ts')], outfile: file, bundle: true, platform: 'node', target: 'node20' });
  Object.assign(process.env, env);
  const { components, findComponent } = createRequire(import.meta.url)(file);
  for (const name of ['etcd', 'kube-apiserver', 'envoy', 'envoy-gateway', 'egctl', 'ratelimit']) {
    const { missing } = findComponent(components[name]);
    if (missing !== undefined) console.log(`MISSING ${missing}`);
  }
}
