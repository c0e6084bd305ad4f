import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');
const MINUTES = 60_000;

/** What `cdk8s init typescript-app` writes, and a user of the newest versions has. */
const CONSUMERS: readonly (readonly [string, { [name: string]: string }])[] = [
  ['cdk8s-plus-28 and the oldest versions allowed', { cdk8s: '2.68.12', constructs: '10.3.0', 'cdk8s-plus-28': '2.5.6' }],
  ['the newest cdk8s-plus', { cdk8s: '2.70.106', constructs: '10.8.1', 'cdk8s-plus-34': '2.0.54' }],
];

const TSCONFIG = {
  compilerOptions: {
    alwaysStrict: true,
    declaration: true,
    experimentalDecorators: true,
    inlineSourceMap: true,
    inlineSources: true,
    lib: ['es2016'],
    module: 'CommonJS',
    noEmitOnError: true,
    noFallthroughCasesInSwitch: true,
    noImplicitAny: true,
    noImplicitReturns: true,
    noImplicitThis: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    resolveJsonModule: true,
    strict: true,
    strictNullChecks: true,
    strictPropertyInitialization: true,
    stripInternal: true,
    target: 'ES2017',
  },
  include: ['**/*.ts'],
  exclude: ['node_modules'],
};

/** A scorer of the user's, and its test. */
const SCORER = `import { defineScorer, promptTokens } from 'cdk8s-ai-gateway/scheduling';
import { scheduleWith } from 'cdk8s-ai-gateway/testing';

const idleFirst = defineScorer({
  type: 'idle-first-scorer',
  create: () => (request, { running }) => (running * promptTokens(request) === 0 ? 1 : 0),
});
const { chosen } = scheduleWith([{ name: 'busy', running: 2 }, { name: 'idle' }], { prompt: 'hello' }, { plugins: [idleFirst] });
console.log(chosen[0]);
`;

const install = process.env['CI'] === 'true' || process.env['AIG_INSTALL'] === '1';
if (!install)
  process.stderr.write(
    'SKIPPED the packed package in fresh apps: run with AIG_INSTALL=1, it installs two apps from the npm registry\n',
  );

(install ? describe : describe.skip)('the packed package in a fresh app', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'consumer-'));
  let tarball: string;

  beforeAll(() => {
    const [packed] = JSON.parse(run(ROOT, 'npm', ['pack', '--json', '--pack-destination', folder]));
    tarball = path.join(folder, packed.filename);
  }, 2 * MINUTES);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('holds the library and the picker, and neither sources nor tests', () => {
    const files = run(folder, 'tar', ['-tzf', tarball]).trim().split('\n');
    expect(files).toContain('package/dist/picker/main.js');
    expect(files).toContain('package/dist/lib/src/index.d.ts');
    expect(files).toContain('package/LICENSE');
    const allowed =
      /^package\/(dist\/(lib\/(src|imports)\/|picker\/main\.js$|bin\/cdk8s-ai-gateway\.js$)|docs\/rules\/[\w]+\.md$|package\.json$|README\.md$|LICENSE$|NOTICE$|CHANGELOG\.md$)/;
    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  });

  test.each(CONSUMERS)(
    'synthesizes the same YAML with %s',
    (_title, versions) => {
      const app = mkdtempSync(path.join(folder, 'app-'));
      const dependencies = { ...versions, 'cdk8s-ai-gateway': `file:${tarball}` };
      const devDependencies = { typescript: '5.9.3', '@types/node': '14.18.63' };
      writeFileSync(
        path.join(app, 'package.json'),
        JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies, devDependencies }),
      );
      writeFileSync(path.join(app, 'tsconfig.json'), JSON.stringify(TSCONFIG));
      const main = readFileSync(path.join(ROOT, 'examples/minimal/main.ts'), 'utf8');
      mkdirSync(path.join(app, 'minimal'));
      writeFileSync(path.join(app, 'minimal/main.ts'), main.replace('../../src', 'cdk8s-ai-gateway'));
      const shared = readFileSync(path.join(ROOT, 'examples/shared.ts'), 'utf8');
      writeFileSync(path.join(app, 'shared.ts'), shared.replace('../src', 'cdk8s-ai-gateway'));
      writeFileSync(path.join(app, 'scorer.ts'), SCORER);
      run(app, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
      run(app, process.execPath, ['node_modules/typescript/bin/tsc']);
      expect(run(app, process.execPath, ['scorer.js'])).toBe('idle\n');
      expect(synthIn(app, 'minimal/main.js')).toBe(synthIn(ROOT, 'dist/lib/examples/minimal/main.js'));
    },
    5 * MINUTES,
  );
});

function synthIn(folder: string, main: string): string {
  const outdir = mkdtempSync(path.join(tmpdir(), 'synth-'));
  try {
    execFileSync(process.execPath, [main], { cwd: folder, env: { PATH: process.env['PATH'], CDK8S_OUTDIR: outdir } });
    return readdirSync(outdir)
      .map((file) => readFileSync(path.join(outdir, file), 'utf8'))
      .join('---\n');
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function run(cwd: string, command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
