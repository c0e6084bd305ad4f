import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = path.join(__dirname, '../..');

/** An app whose Service and Deployment share a name, which cdk8s itself cannot tell apart. */
const APP = `
const { App, ApiObject, Chart } = require('cdk8s');
const app = new App();
const chart = new Chart(app, 'web');
const labels = { app: 'web' };
const annotations = { 'cdk8s-ai-gateway.dev/path': 'web/deployment' };
new ApiObject(chart, 'service', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' },
  spec: { selector: labels, ports: [{ port: 80, targetPort: process.env.TARGET }] } });
new ApiObject(chart, 'deployment', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', annotations },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels },
    spec: { containers: [{ name: 'web', image: process.env.IMAGE, ports: [{ name: 'http', containerPort: 8080 }] }] } } } });
app.synth();
`;

describe('AiGatewayValidation in the real cdk8s', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plugin-'));

  beforeAll(() => {
    mkdirSync(path.join(folder, 'node_modules'));
    for (const name of ['cdk8s', 'constructs'])
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
    // The root export as the package has it, made here so that the test needs no build.
    const home = path.join(folder, 'node_modules/cdk8s-ai-gateway');
    mkdirSync(home);
    writeFileSync(
      path.join(home, 'package.json'),
      JSON.stringify({ name: 'cdk8s-ai-gateway', version: '0.0.0', main: 'index.js' }),
    );
    buildSync({
      entryPoints: [path.join(ROOT, 'src/index.ts')],
      outfile: path.join(home, 'index.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      external: ['cdk8s', 'constructs'],
    });
    writeFileSync(path.join(folder, 'app.js'), APP);
    writeFileSync(
      path.join(folder, 'cdk8s.yaml'),
      'language: typescript\napp: node app.js\nvalidations:\n  - package: ./node_modules/cdk8s-ai-gateway\n    version: 0.0.0\n    class: AiGatewayValidation\n    properties: { failOn: error }\n',
    );
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const synth = (env: { [name: string]: string }, report: string) => {
    const cli = path.join(ROOT, 'node_modules/cdk8s-cli/bin/cdk8s');
    const run = spawnSync(process.execPath, [cli, 'synth', '--validation-reports-output-file', report], {
      cwd: folder,
      env: { ...process.env, ...env, CDK8S_DISABLE_UPGRADE_CHECK: '1' },
      encoding: 'utf8',
    });
    return { code: run.status, output: run.stdout + run.stderr, report: readFileSync(path.join(folder, report), 'utf8') };
  };

  it('lets a correct app through', () => {
    expect(synth({ TARGET: 'http', IMAGE: 'web:1' }, 'right.json')).toMatchObject({ code: 0 });
  }, 60_000);

  it('fails synthesis with what is wrong between two objects, each under its own path', () => {
    const { code, report } = synth({ TARGET: 'htpp', IMAGE: ' web:1' }, 'wrong.json');
    expect(code).toBe(2);
    expect(report).toMatch(/AIG102 \(error\)/);
    expect(report).toMatch(/Service\/web/);
    expect(report).toMatch(/AIG047 \(error\)[\s\S]*Deployment\/web[\s\S]*made by web\/deployment/);
  }, 60_000);
});

describe('the root export', () => {
  it('loads neither ajv nor CEL until something is validated', () => {
    const out = path.join(mkdtempSync(path.join(tmpdir(), 'root-')), 'index.js');
    buildSync({
      entryPoints: [path.join(ROOT, 'src/index.ts')],
      outfile: out,
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
    });
    const program = `require(${JSON.stringify(out)}); console.log(Object.keys(require.cache).filter((file) => /node_modules.(ajv|@bufbuild)/.test(file)).length)`;
    const run = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
      env: { ...process.env, NODE_PATH: path.join(ROOT, 'node_modules') },
    });
    rmSync(path.dirname(out), { recursive: true });
    expect(run).toMatchObject({ stdout: '0\n', status: 0 });
  }, 60_000);
});
