// `npm test`: installs and builds what is missing, then runs the tests. Arguments go to jest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './built.mjs';
import { ensureInstalled } from './install.mjs';

const root = join(fileURLToPath(import.meta.url), '../..');
ensureInstalled();
ensureBuilt();
const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', '.ci/jest.config.cjs', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
