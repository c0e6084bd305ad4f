// npm run import                 makes imports/*.ts anew from imports/crds; with AIG_CRDS=<folder> takes the schemas from there first
// npm run import -- <folder>     the same, with the folder as an argument
// npm run import -- --check      changes nothing; fails when anything in imports/ differs from what this script would write
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateSchemas } from './import/schemas.mjs';
import { copyFrom, inventory, renderInventory } from './import/sources.mjs';
import { generateTypes } from './import/types.mjs';

const IMPORTS = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'imports');
const CRDS = path.join(IMPORTS, 'crds');

const args = process.argv.slice(2);
const isCheck = args.includes('--check');
const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--check');
if (unknown.length > 0) throw new Error(`unknown option ${unknown.join(', ')}; allowed: --check`);
const from = args.find((arg) => !arg.startsWith('-')) ?? process.env['AIG_CRDS'];

if (!isCheck && from !== undefined && from !== '') copyFrom(from, CRDS);

const entries = inventory(CRDS);
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
const wanted = new Map([[path.join(CRDS, 'sources.json'), renderInventory(entries)]]);
wanted.set(path.join(IMPORTS, 'schemas.ts'), generateSchemas(CRDS, entries, read(path.join(IMPORTS, 'schemas.ts'))));
for (const [module, text] of generateTypes(CRDS, entries)) wanted.set(path.join(IMPORTS, `${module}.ts`), text);

const present = readdirSync(IMPORTS)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(IMPORTS, name));
const stale = present.filter((file) => !wanted.has(file));
const different = [...wanted].flatMap(([file, text]) => (read(file) === text ? [] : [file]));

if (isCheck) {
  for (const file of [...different, ...stale])
    console.error(`${path.relative(process.cwd(), file)} is not what \`npm run import\` writes`);
  process.exitCode = different.length + stale.length === 0 ? 0 : 1;
} else {
  for (const file of stale) rmSync(file);
  for (const file of different) writeFileSync(file, wanted.get(file));
}
