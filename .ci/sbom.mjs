// `npm run sbom`: bills of materials in CycloneDX, made by `npm sbom` and narrowed to what is shipped.
//   dist/sbom/package.cdx.json   what npm installs with the package, and what is bundled into its programs
//   dist/sbom/picker.cdx.json    what is bundled into the picker, the only program of the image
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const run = (program, args) => execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });

run(process.execPath, ['.ci/build.mjs', 'picker', 'cli']);
const all = JSON.parse(run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--loglevel', 'error']));
const picker = bundled('dist/picker/main.js');
const installed = all.components.filter((component) => !isDevelopment(component)).map((component) => component['bom-ref']);
write('package', new Set([...installed, ...picker, ...bundled('dist/bin/cdk8s-ai-gateway.js')]));
write('picker', picker);

function isDevelopment({ properties = [] }) {
  return properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
}

/** References of the packages whose files are in a bundle. */
function bundled(outfile) {
  const inputs = JSON.parse(readFileSync(join(root, '.cache/inputs', `${outfile}.json`), 'utf8'));
  const folders = inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return new Set(
    [...new Set(folders)].map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      return `${name}@${version}`;
    }),
  );
}

function write(name, kept) {
  const { component } = all.metadata;
  const [product] = component['bom-ref'].split(/(?<=.)@/);
  const known = new Set([...kept, component['bom-ref']]);
  const missing = [...kept].filter((reference) => !all.components.some((entry) => entry['bom-ref'] === reference));
  if (missing.length > 0) throw new Error(`npm sbom knows nothing of ${missing.join(', ')}`);
  const bill = {
    ...all,
    // npm takes the folder's name for the product's
    metadata: { ...all.metadata, component: { ...component, name: product } },
    // all of it is shipped, so none of it is for development
    components: all.components
      .filter((entry) => kept.has(entry['bom-ref']))
      .map((entry) => ({
        ...entry,
        properties: (entry.properties ?? []).filter((property) => !/:development$/.test(property.name)),
      })),
    dependencies: all.dependencies
      .filter(({ ref }) => known.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((target) => known.has(target)) })),
  };
  const file = join(root, 'dist/sbom', `${name}.cdx.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
  console.log(`dist/sbom/${name}.cdx.json: ${bill.components.length} packages`);
}
