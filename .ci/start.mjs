// `npm start`: from a clean clone to answered requests. Installs, builds, synthesizes the guide, checks and explains its manifests, runs
// them on this machine, and sends requests whose answers the manifests foretell. Succeeds only when all of that holds.
//
//   npm start -- --synth    manifests and their overview only
//   npm start -- --stay     keeps it running afterwards
//   npm start -- --envoy PATH | none, and every other flag of `cdk8s-ai-gateway up`

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './built.mjs';
import { ensureInstalled } from './install.mjs';

const root = join(fileURLToPath(import.meta.url), '../..');
const require = createRequire(import.meta.url);
const flags = process.argv.slice(2).filter((flag) => flag !== '--synth');
const isSynthOnly = flags.length < process.argv.length - 2;
const steps = isSynthOnly ? 2 : 3;

step(1, 'install and build what has changed');
ensureInstalled();
ensureBuilt();

step(2, 'synthesize and check the guide (examples/guide/main.ts)');
const manifests = join(root, 'dist/manifests');
rmSync(manifests, { recursive: true, force: true });
mkdirSync(manifests, { recursive: true });
process.env.CDK8S_OUTDIR = manifests;
const { app } = require(join(root, 'dist/lib/examples/guide/main.js'));
const { overview } = require(join(root, 'dist/lib/src/cli/overview.js'));

const { text, objectCount, findings } = overview(app);
const gateway = process.env.GATEWAY ?? 'envoy-gateway';
console.log(`The guide (examples/guide/main.ts) for ${gateway}:\n\n${text}\n`);
console.log(`${objectCount} objects in dist/manifests: ${readdirSync(manifests).join(', ')}`);
console.log('Another gateway: GATEWAY=istio npm start, GATEWAY=kong npm start');
if (isSynthOnly || findings.length > 0) process.exit(findings.length === 0 ? 0 : 1);

step(3, 'run the manifests on this machine, and ask what they answer');
const up = spawn(process.execPath, [join(root, 'dist/bin/cdk8s-ai-gateway.js'), 'up', manifests, '--tour', ...flags], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; this one waits until the other has cleaned up. A signal to this one alone is passed on.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => up.kill(signal));
up.on('exit', (code) => process.exit(code ?? 1));

function step(number, what) {
  console.log(`\n[${number}/${steps}] ${what} …`);
}
