import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = path.join(__dirname, '../..');
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n';
const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web # the site
spec:
  parentRefs: [{name: ai}]
  rules:
    - backendRefs:
        - name: web
          port: 8080
`;
const HINT =
  'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {rules: [{backendRefs: [{group: inference.networking.k8s.io, kind: InferencePool, name: a, port: 80}]}]}\n';

describe('cdk8s-ai-gateway validate', () => {
  // Two folders below the root, as the published bundle is.
  const bin = mkdtempSync(path.join(ROOT, '.cache/cli-'));
  const cli = path.join(bin, 'cli.js');
  let folder: string;

  beforeAll(() => {
    buildSync({
      entryPoints: [path.join(ROOT, 'src/cli/main.ts')],
      outfile: cli,
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      define: { 'process.env.PACKAGE_VERSION': '"1.2.3"' },
    });
  }, 60_000);
  afterAll(() => rmSync(bin, { recursive: true }));
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'validate-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string | Buffer): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const run = (args: readonly string[], input = '', env: { [name: string]: string } = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'validate', ...args], {
      input,
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, FORCE_COLOR: '', ...env },
    });
    return { status, stdout, stderr };
  };

  it('shows the line that is meant, with a caret, the fix and a summary', () => {
    write('site/route.yaml', `${ROUTE}---\n${SERVICE}`);
    expect(run(['site']).stdout).toBe(`site/route.yaml

  10:11 error AIG101 spec.rules[0].backendRefs[0].port is no port of Service web (got 8080; allowed: 80)
    of HTTPRoute web
    10 |           port: 8080
       |           ^
    fix: take a port of the Service

2 objects in 1 file checked: 1 error
`);
  });

  it.each<[string, string, readonly string[], number]>([
    ['0 for clean input', SERVICE, [], 0],
    ['1 for an error', `${ROUTE}---\n${SERVICE}`, [], 1],
    ['0 for a hint', HINT, [], 0],
    ['1 for a hint when hints fail', HINT, ['--fail-on', 'hint'], 1],
    ['2 for what is no YAML', 'a: [', [], 2],
    ['2 for an unknown flag', SERVICE, ['--nonsense'], 2],
    ['2 for an unknown rule', SERVICE, ['--rules', 'nonsense'], 2],
    ['2 for an unknown version of Kubernetes', SERVICE, ['--kubernetes-version', '1.2'], 2],
    ['0 with the rules of one document alone', `${ROUTE}---\n${SERVICE}`, ['--rules', 'admission'], 0],
    ['1 with that rule alone', `${ROUTE}---\n${SERVICE}`, ['--rules', 'backend-port'], 1],
    ['0 with another rule alone', `${ROUTE}---\n${SERVICE}`, ['--rules', 'AIG107,AIG300'], 0],
    ['0 for a reference to what is not there', ROUTE, [], 0],
    ['1 for it when the input is complete', ROUTE, ['--complete'], 1],
  ])('exits with %s', (_, input, args, status) => {
    expect(run([...args, '-'], input)).toMatchObject({ status });
  });

  it('passes over what kustomize and Helm read themselves, in folders', () => {
    write('app/kustomization.yaml', 'resources: [service.yaml]\n');
    write('app/service.yaml', SERVICE);
    write('chart/Chart.yaml', 'name: c\n');
    write('chart/values.yaml', 'replicas: 1\n');
    write('chart/crds/service.yaml', SERVICE.replace('web}', 'other}'));
    expect(run(['app', 'chart'])).toMatchObject({ status: 0, stdout: '2 objects in 2 files checked: no findings\n' });
  });

  it('names every input that it cannot read, and checks the others', () => {
    const good = write('good.yaml', `${ROUTE}---\n${SERVICE}`);
    const latin = write('latin.yaml', Buffer.from([0x61, 0x3a, 0xe9, 0x0a]));
    const { status, stdout, stderr } = run([good, latin, 'missing.yaml']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/unreadable: .*latin\.yaml: is not UTF-8/);
    expect(stderr).toMatch(/unreadable: missing\.yaml: ENOENT/);
    expect(stdout).toContain('AIG101');
  });

  it('colours for a terminal that wants it, and never with NO_COLOR', () => {
    expect(run(['-'], ROUTE, { FORCE_COLOR: '1' }).stdout).not.toContain('\u001b[31m');
    expect(run(['--complete', '-'], ROUTE, { FORCE_COLOR: '1' }).stdout).toContain('\u001b[31m');
    expect(run(['--complete', '-'], ROUTE, { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toContain('\u001b');
  });

  it('writes JSON, SARIF, workflow commands and JUnit', () => {
    const input = `${ROUTE}---\n${SERVICE}`;
    expect(JSON.parse(run(['--format', 'json', '-'], input).stdout)).toMatchObject({
      objects: 2,
      findings: [{ code: 'AIG101', file: '<stdin>', line: 10, column: 11, severity: 'error' }],
    });
    expect(JSON.parse(run(['--format', 'sarif', '-'], input).stdout)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: { rules: [{ id: 'AIG101', shortDescription: { text: 'The port of a reference is a port of its Service' } }] },
          },
          results: [{ ruleId: 'AIG101', level: 'error', locations: [{ physicalLocation: { region: { startLine: 10 } } }] }],
        },
      ],
    });
    expect(run(['--format', 'github', '-'], input).stdout).toMatch(
      /^::error file=<stdin>,line=10,col=11,title=AIG101::spec\.rules/,
    );
    expect(run(['--format', 'junit', '-'], input).stdout).toMatch(/<testsuite name="&lt;stdin&gt;" tests="1" failures="1">/);
  });

  it('prints the page of a rule, in any case', () => {
    expect(run(['--explain', 'aig012']).stdout).toBe(readFileSync(path.join(ROOT, 'docs/rules/AIG012.md'), 'utf8'));
    expect(run(['--explain', 'AIG999'])).toMatchObject({ status: 2, stdout: '' });
  });

  it('shows mends as a diff, and makes them only when confirmed, keeping comments', () => {
    const file = write('route.yaml', `${ROUTE}---\n${SERVICE}`);
    expect(run(['--fix', file]).stdout).toContain('-          port: 8080\n+          port: 80\n');
    expect(readFileSync(file, 'utf8')).toContain('port: 8080');
    expect(run(['--fix', '--yes', file]).stdout).toContain(`Changed ${file}.`);
    expect(readFileSync(file, 'utf8')).toBe(`${ROUTE.replace('8080', '80')}---\n${SERVICE}`);
    expect(run([file])).toMatchObject({ status: 0 });
  });

  it('leaves out what a reason suppresses, by annotation or by file, and refuses to do it without', () => {
    const suppressed = ROUTE.replace(
      '  name: web #',
      "  annotations: {cdk8s-ai-gateway.dev/suppress: 'AIG101: mended by the mesh'}\n  name: web #",
    );
    expect(run(['-'], `${suppressed}---\n${SERVICE}`)).toMatchObject({ status: 0 });
    const config = write('c.yaml', 'suppress: [{code: AIG101, object: HTTPRoute/web, reason: known}]');
    expect(run(['--config', config, '-'], `${ROUTE}---\n${SERVICE}`)).toMatchObject({ status: 0 });
    const other = write('d.yaml', 'suppress: [{code: AIG101, object: HTTPRoute/other, reason: known}]');
    expect(run(['--config', other, '-'], `${ROUTE}---\n${SERVICE}`)).toMatchObject({ status: 1 });
    const without = write('e.yaml', 'suppress: [{code: AIG101}]');
    expect(run(['--config', without, '-'], ROUTE)).toMatchObject({ status: 2 });
  });

  it('compares with the objects of the cluster', () => {
    const old = write('old.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {a: b}\n');
    const next = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {a: c}\n';
    expect(run(['--old', old, '-'], next).stdout).toContain('AIG059');
    const plugin = 'apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: p}\nplugin: cors\n';
    const before = write('plugin.yaml', plugin);
    expect(run(['--old', before, '-'], plugin.replace('cors', 'jwt')).stdout).toMatch(/AIG030 .*about plugin .*oldSelf\.plugin/);
    expect(run(['--old', before, '-'], plugin)).toMatchObject({ status: 0 });
    expect(run(['--old', write('broken.yaml', 'a: ['), '-'], plugin)).toMatchObject({ status: 2 });
  });

  it.each<[string, string, RegExp]>([
    ['a template', 'metadata:\n  name: {{ .Release.Name }}\n', /2:9 error AIG001 .*holds a template/],
    ['a template with control flow', 'a:\n  {{- if .Values.x }}\n  b: c\n  {{- end }}\n', /AIG001 .*holds a template/],
    ['tabs', 'a:\n\tb: c\n', /AIG001 .*Tabs are not allowed/],
    ['a key that stands twice', 'a: {b: 1, b: 2}', /1:11 error AIG001 .*must be unique/],
    ['aliases that would fill memory', laughs(), /AIG001 .*Excessive alias count/],
    ['a kind that nobody knows', 'apiVersion: a.example/v1\nkind: B\nmetadata: {name: c}\n', /warning AIG003/],
  ])('says of %s what it is', (_, input, expected) => {
    expect(run(['-'], `${input}\n---\n${SERVICE}`).stdout).toMatch(expected);
    expect(run(['-'], `${input}\n---\n${SERVICE}`).stdout).toMatch(/ in 1 file checked/);
  });

  it('has nothing to say of an empty file, and accepts anchors and merge keys', () => {
    expect(run(['-'], '')).toMatchObject({ status: 0 });
    const anchors =
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: &l {app: x}\n  annotations:\n    <<: *l\n    b: c\n';
    expect(run(['-'], anchors)).toMatchObject({ status: 0 });
  });
});

function laughs(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [previous, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh'])
    lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${previous}`).join(', ')}]`);
  return lines.join('\n');
}
