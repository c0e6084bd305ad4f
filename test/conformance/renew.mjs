// `npm run conformance:apiserver` and `npm run conformance:egctl`: takes the objects of the examples as they are now into the corpus, and
// asks the real program of each of its documents again. What it says is kept in test/fixtures/verdicts, so that the comparison runs
// where the program is not. Without the program nothing is compared or changed, and the run says so.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

const root = join(import.meta.dirname, '../..');
const TESTS = { apiserver: ['test/conformance/admission.test.ts', 'test/conformance/updates.test.ts'], egctl: ['test/conformance/translation.test.ts'] };
// Its definitions have the names of a later generation, and one server holds one of them.
const NOT_INSTALLED = /^inference\.networking\.x-k8s\.io\/v1alpha1$/;

const tests = TESTS[process.argv[2]];
if (tests === undefined) throw new Error(`which? ${Object.keys(TESTS).join(', ')}`);
const corpus = join(root, 'test/fixtures/admission/examples.yaml');
const before = readFileSync(corpus, 'utf8');
const verdicts = join(root, `test/fixtures/verdicts/${process.argv[2] === 'apiserver' ? 'kube-apiserver' : 'egctl'}.json`);
const written = statSync(verdicts).mtimeMs;
if (process.argv[2] === 'apiserver') writeFileSync(corpus, richestOfEachKind());
const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', '.ci/jest.config.cjs', '--verbose=false', ...tests];
const { status } = spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit', env: { ...process.env, UPDATE_VERDICTS: '1' } });
if (statSync(verdicts).mtimeMs === written) {
  writeFileSync(corpus, before);
  console.error('Nothing was renewed: the program is missing.');
  process.exit(1);
}
process.exit(status ?? 1);

function richestOfEachKind() {
  const richest = new Map();
  for (const object of exampleObjects()) {
    const key = `${object.apiVersion} ${object.kind}`;
    const size = (value) => JSON.stringify(value).length;
    if (!richest.has(key) || size(object) > size(richest.get(key))) richest.set(key, object);
  }
  return [...richest]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => stringify(inDefaultNamespace(object), { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n');
}

function exampleObjects() {
  const examples = join(root, 'examples');
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(examples, name)).filter((file) => /^expected.*\.yaml$/.test(file)).map((file) => join(examples, name, file)))
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' }).map((document) => document.toJS()))
    // The program of the picker is a placeholder in there.
    .filter(({ apiVersion, binaryData }) => binaryData === undefined && !NOT_INSTALLED.test(apiVersion));
}

function inDefaultNamespace(object) {
  return object.metadata.namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace: 'default' } };
}
