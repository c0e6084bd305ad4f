// `npm start`: from a clean clone to the manifests of the guide, checked and explained.

import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './built.mjs';
import { ensureInstalled } from './install.mjs';

const root = join(fileURLToPath(import.meta.url), '../..');
const require = createRequire(import.meta.url);

ensureInstalled();
ensureBuilt();

const manifests = join(root, 'dist/manifests');
mkdirSync(manifests, { recursive: true });
process.env.CDK8S_OUTDIR = manifests;
const { app } = require(join(root, 'dist/lib/examples/guide/main.js'));
const { overview } = require(join(root, 'dist/lib/src/cli/overview.js'));

const { text, objectCount, findings } = overview(app);
const gateway = process.env.GATEWAY ?? 'envoy-gateway';
console.log(`The guide (examples/guide/main.ts) for ${gateway}:\n\n${text}\n`);
console.log(`${objectCount} objects in dist/manifests: ${readdirSync(manifests).join(', ')}`);
console.log('Another gateway: GATEWAY=istio npm start, GATEWAY=kong npm start');
process.exit(findings.length === 0 ? 0 : 1);
