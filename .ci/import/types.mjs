// imports/<module>.ts, made by `cdk8s import` from the storage version of each kind.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { PROJECTS } from './projects.mjs';
import { crdsOf } from './sources.mjs';

const require = createRequire(import.meta.url);
const CLI = path.join(path.dirname(require.resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');

/** Module name → text of every generated module. */
export function generateTypes(root, entries) {
  const modules = new Map();
  for (const { types, folder } of PROJECTS) {
    if (types !== undefined)
      modules.set(types, [
        ...(modules.get(types) ?? []),
        ...entries.filter((entry) => path.posix.dirname(entry.file) === folder),
      ]);
  }
  return new Map(
    [...modules].map(([module, files]) => [module, header(files) + importCrds(files.flatMap((file) => stripped(root, file)))]),
  );
}

function stripped(root, { file }) {
  return crdsOf(file, readFileSync(path.join(root, file))).map((crd) => ({
    apiVersion: crd.apiVersion,
    kind: crd.kind,
    metadata: { name: crd.metadata.name },
    spec: { group: crd.spec.group, names: crd.spec.names, scope: crd.spec.scope, versions: [storageVersion(crd)] },
  }));
}

// The CLI names the classes of the first listed version without a suffix, so a module holds one version and its names stay
// when upstream adds another. `status` is written by controllers only.
function storageVersion(crd) {
  const version = crd.spec.versions.find((candidate) => candidate.storage);
  const schema = structuredClone(version.schema.openAPIV3Schema);
  delete schema.properties?.status;
  return { name: version.name, served: true, storage: true, schema: { openAPIV3Schema: schema } };
}

// All kinds of a group go into one file with `---` between them: the CLI writes one module per group, and the last file given wins.
function importCrds(crds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'import-types-'));
  try {
    const input = path.join(folder, 'crds.yaml');
    writeFileSync(input, crds.map((crd) => stringify(crd)).join('---\n'));
    execFileSync(process.execPath, [CLI, 'import', '-l', 'typescript', '-o', path.join(folder, 'out'), '--no-save', input], {
      cwd: folder,
      env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false' },
      stdio: 'pipe', // what it prints is in the error if it fails
    });
    const written = readdirSync(path.join(folder, 'out'));
    if (written.length !== 1) throw new Error(`cdk8s import wrote ${written.length} files for one group: ${written.join(', ')}`);
    const text = readFileSync(path.join(folder, 'out', written[0]), 'utf8');
    for (const crd of crds) {
      if (!text.includes(`kind: '${crd.spec.names.kind}'`)) throw new Error(`cdk8s import lost ${crd.spec.names.kind}`);
    }
    return text;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function header(files) {
  const lines = files.map(
    (file) => `//   ${file.project} ${file.version} (${file.licence}), imports/crds/${file.file}\n//     sha256 ${file.sha256}\n`,
  );
  return `// Made by \`npm run import\`: do not edit. Storage versions only, without status. Use the types and the toJson_ functions, not the\n// classes (imports/README.md says why). Sources:\n${lines.join('')}\n`;
}
