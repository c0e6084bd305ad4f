// node .ci/release.mjs vX.Y.Z: whether package.json and CHANGELOG.md are of the version that a tag names.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const tag = process.argv[2] ?? '';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [, heading = 'none'] = /^## (.*)$/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')) ?? [];
const faults = [
  ...(tag === `v${version}` ? [] : [`the tag is '${tag}' and package.json says ${version}`]),
  ...(new RegExp(`^${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`).test(heading)
    ? []
    : [`the first heading of CHANGELOG.md is '${heading}': '${version} (YYYY-MM-DD)' is wanted`]),
];
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
