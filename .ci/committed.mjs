// What git holds at the top level is what this list says: profiles, logs and archives that a tool leaves behind are never committed.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = new Set(
  `
  .ci .containerignore .github .gitignore CHANGELOG.md CONTRIBUTING.md Containerfile LICENSE NOTICE README.md api biome.json cdk8s.yaml docs
  examples imports package-lock.json package.json src test tsconfig.json
`.match(/\S+/g),
);

const root = join(fileURLToPath(import.meta.url), '../..');
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\0')
  .filter(Boolean);
const strays = [...new Set(files.map((file) => file.split('/')[0]))].filter((name) => !top.has(name));
for (const name of strays)
  console.error(`${name}: not part of the top level; remove it with 'git rm', or name it in .ci/committed.mjs`);
process.exit(strays.length === 0 ? 0 : 1);
