// 1,000 documents through schemas, CEL and all rules, beside kubeconform, which checks schemas only, and how long the command takes for one
// file. Run it bundled, as `npm run bench` does.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseAllDocuments, stringify } from 'yaml';
import { readManifests, validateManifests } from '../../src/validation';
import { toJsonSchema } from '../../src/validation/schema/json-schema';
import { pinnedSchemas } from '../../src/validation/schema/packed';
import { SchemaRegistry } from '../../src/validation/schema/registry';
import type { JsonObject, SchemaNode } from '../../src/validation/schema/schema-node';

const DOCUMENTS = 1_000;
const ROUNDS = 3;

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string };
  readonly binaryData?: unknown;
}

/** Objects of the examples, renamed until there are enough: the mixture that this library is for. */
function corpus(root: string): KubernetesObject[] {
  const examples = join(root, 'examples');
  const objects = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(examples, name))
        .filter((file) => /^expected.*\.yaml$/.test(file))
        .flatMap((file) => parseAllDocuments(readFileSync(join(examples, name, file), 'utf8'), { version: '1.1' })),
    )
    .map((document) => document.toJS() as KubernetesObject)
    // their data is replaced by a placeholder
    .filter(({ binaryData }) => binaryData === undefined);
  return Array.from({ length: DOCUMENTS }, (_, index) => {
    const object = structuredClone(objects[index % objects.length]!);
    const round = Math.floor(index / objects.length);
    if (round > 0) object.metadata.name = `${object.metadata.name.slice(0, 40)}-${round}`;
    return object;
  });
}

function median(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1_000;
  });
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

/** One schema with what is apart from it in definitions. */
function wholeSchema(root: SchemaNode): JsonObject {
  const names = new Map<SchemaNode, string>();
  const definitions: JsonObject = {};
  const refer = (node: SchemaNode): JsonObject => {
    let name = names.get(node);
    if (name === undefined) {
      names.set(node, (name = `d${names.size}`)); // before its body, which may refer to it
      definitions[name] = toJsonSchema(node, refer);
    }
    return { $ref: `#/$defs/${name}` };
  };
  return { ...toJsonSchema(root, refer), $defs: definitions };
}

/** Schemas as kubeconform wants them: one JSON file per kind, so that neither side uses the network. The core group is `v1` to it. */
function writeSchemas(folder: string, objects: readonly KubernetesObject[]): string {
  const registry = SchemaRegistry.of();
  for (const { apiVersion, kind } of objects) {
    const lookup = registry.lookUp(apiVersion, kind);
    if (!('found' in lookup)) continue;
    const file = join(
      folder,
      `${kind.toLowerCase()}_${apiVersion.includes('/') ? apiVersion.replace('/', '_') : `${apiVersion}_${apiVersion}`}.json`,
    );
    writeFileSync(file, JSON.stringify(wholeSchema(lookup.found.schema)));
  }
  return join(folder, '{{.ResourceKind}}_{{.Group}}_{{.ResourceAPIVersion}}.json');
}

/** One of our command lines, as a user meets it. */
function command(cli: string, file: string): void {
  const { status } = spawnSync(process.execPath, [cli, 'validate', file], { stdio: 'ignore' });
  if (status !== 0 && status !== 1) throw new Error(`${cli} ended with ${status}: npm run build makes it`);
}

const root = process.env['BENCH_ROOT'] ?? process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'bench-validate-'));
try {
  const objects = corpus(root);
  const file = join(folder, 'all.yaml');
  writeFileSync(file, objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'));
  const kinds = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).size;
  pinnedSchemas();
  console.log(
    `${objects.length} documents of ${kinds} kinds, ${(readFileSync(file).length / 1e6).toFixed(1)} MB, median of ${ROUNDS} (Node ${process.versions.node})`,
  );
  const text = readFileSync(file, 'utf8');
  const read = median(() => readManifests(text, file));
  const { documents } = readManifests(text, file);
  const findings = validateManifests(documents).filter(({ severity }) => severity === 'error').length;
  const admission = median(() => validateManifests(documents, { rules: 'admission' }));
  const check = median(() => validateManifests(documents));
  const whole = median(() => {
    validateManifests(readManifests(text, file).documents);
  });
  const row = (name: string, seconds: number): void => console.log(`  ${name.padEnd(44)} ${seconds.toFixed(2)} s`);
  row('reading YAML, with positions', read);
  row('schemas, CEL and built-in rules', admission);
  row('the same and all other rules', check);
  row(`whole in one process (${findings} errors)`, whole);
  const cli = join(root, 'dist/bin/cdk8s-ai-gateway.js');
  const ours = median(() => command(cli, file));
  row('the command', ours);
  for (const kind of ['Deployment', 'HTTPRoute']) {
    const one = join(folder, `${kind}.yaml`);
    writeFileSync(one, stringify(objects.find((object) => object.kind === kind)));
    row(
      `the command on one ${kind}`,
      median(() => command(cli, one)),
    );
  }
  row(
    'an empty Node program',
    median(() => spawnSync(process.execPath, ['-e', ''])),
  );
  const kubeconform = process.env['KUBECONFORM'];
  if (kubeconform === undefined) {
    console.log(
      '  kubeconform: not measured; go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0 and set KUBECONFORM',
    );
  } else {
    const schemas = join(folder, 'schemas');
    mkdirSync(schemas);
    const location = writeSchemas(schemas, objects);
    let summary = '';
    const theirs = median(() => {
      const { stdout, error } = spawnSync(kubeconform, ['-summary', '-schema-location', location, file], { encoding: 'utf8' });
      if (error !== undefined) throw error;
      summary = stdout.trim().split('\n').at(-1) ?? '';
    });
    row('kubeconform, schemas only', theirs);
    console.log(`    ${summary}`);
    console.log(`  ratio of the commands ${(ours / theirs).toFixed(1)} (at most 15), in process ${(whole / theirs).toFixed(1)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
