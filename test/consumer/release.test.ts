import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const ROOT = path.join(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const { version, scripts, dependencies } = JSON.parse(read('package.json')) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<
    string,
    { readonly permissions?: Record<string, string>; readonly 'timeout-minutes'?: number; readonly steps: Step[] }
  >;
}

const WORKFLOWS = readdirSync(path.join(ROOT, '.github/workflows')).map((file): [string, Workflow] => [
  file,
  parse(read(`.github/workflows/${file}`)) as Workflow,
]);

describe.each(WORKFLOWS)('the workflow %s', (_file, { permissions, jobs }) => {
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('names the exact version of every action, and a limit of time for every job', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
    expect(Object.values(jobs).every((job) => job['timeout-minutes'] !== undefined)).toBe(true);
  });

  test('may only read, but for the jobs that publish', () => {
    expect(permissions).toEqual({ contents: 'read' });
    const writing = Object.entries(jobs).filter(([, job]) => Object.values(job.permissions ?? {}).includes('write'));
    expect(writing.map(([name]) => name).every((name) => ['package', 'image'].includes(name))).toBe(true);
  });

  test('runs scripts and files that there are', () => {
    const lines = steps.flatMap(({ run }) => run?.split('\n') ?? []);
    const named = lines.flatMap((line) => [...line.matchAll(/\bnpm run (\S+)/g)].map(([, name]) => name!));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const files = lines.flatMap((line) => [...line.matchAll(/\bnode (\.ci\/\S+)/g)].map(([, file]) => file!));
    for (const file of files) expect(read(file).length).toBeGreaterThan(0);
  });
});

test('a tag of another version, or a changelog without its date, is no release', () => {
  const release = (tag: string) => spawnSync(process.execPath, ['.ci/release.mjs', tag], { cwd: ROOT, encoding: 'utf8' });
  const wrong = release('v9.9.9');
  expect([wrong.status, wrong.stderr]).toEqual([
    1,
    expect.stringContaining(`the tag is 'v9.9.9' and package.json says ${version}`),
  ]);
  const isDated = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm').test(read('CHANGELOG.md'));
  expect(release(`v${version}`).status).toBe(isDated ? 0 : 1);
});

describe('the changelog', () => {
  const releases = read('CHANGELOG.md')
    .split(/^(?=## )/m)
    .slice(1)
    .map((text) => ({ title: /^## (.*)$/m.exec(text)![1]!, parts: [...text.matchAll(/^### (.*)$/gm)].map(([, part]) => part!) }));

  test('begins with the version of package.json, and has versions in order, each dated or unreleased', () => {
    const [first] = releases;
    expect(first!.title.startsWith(`${version} (`)).toBe(true);
    expect(releases.filter(({ title }) => !/^\d+\.\d+\.\d+ \((unreleased|\d{4}-\d{2}-\d{2})\)$/.test(title))).toEqual([]);
    expect(releases.slice(1).filter(({ title }) => title.endsWith('(unreleased)'))).toEqual([]);
  });

  test('has the same parts in the same order, and tells of the manifests', () => {
    const order = ['Upgrading', 'Constructs', 'Validation', 'Laptop mode', 'Endpoint picker', 'Packaging', 'Manifests'];
    for (const { parts } of releases) {
      expect(parts.filter((part) => !order.includes(part))).toEqual([]);
      expect([...parts].sort((a, b) => order.indexOf(a) - order.indexOf(b))).toEqual(parts);
      expect(parts).toContain('Manifests');
    }
  });
});

test('the bills of materials name what is installed and what is bundled, and nothing that only builds', () => {
  execFileSync(process.execPath, ['.ci/sbom.mjs'], { cwd: ROOT, stdio: 'ignore' });
  const bills = ['package', 'picker'].map((name) => JSON.parse(read(`dist/sbom/${name}.cdx.json`)));
  for (const bill of bills) {
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'cdk8s-ai-gateway', version } } });
    expect(bill.components.every(({ purl, licenses }: { purl?: string; licenses?: object[] }) => purl && licenses?.length)).toBe(
      true,
    );
  }
  const [inPackage, inPicker] = bills.map(({ components }) => components.map(({ name }: { name: string }) => name) as string[]);
  expect(inPackage).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'pino', 'ioredis']));
  expect(inPicker).toEqual(expect.arrayContaining(['@kubernetes/client-node', 'ioredis', 'pino', 'yaml']));
  expect(inPicker).not.toContain('cdk8s');
  for (const name of ['jest', 'esbuild', 'typescript', '@biomejs/biome', 'openai']) expect(inPackage).not.toContain(name);
}, 120_000);
