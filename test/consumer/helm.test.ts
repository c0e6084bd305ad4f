import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { EXAMPLES, synthExample } from '../support/examples';

const ROOT = path.join(__dirname, '../..');
/** Most bytes of a Secret (`MaxSecretSize` of the Kubernetes API). */
const SECRET_BYTES = 1 << 20;

const folder = mkdtempSync(path.join(tmpdir(), 'helm-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the real `cdk8s synth --format helm`. */
function chartOf(name: string, app: string): { readonly chart: unknown; readonly templates: readonly string[] } {
  const output = path.join(folder, name);
  const flags = ['--format', 'helm', '--chart-api-version', 'v2', '--chart-version', '1.2.3', '--output', output];
  const cli = path.join(ROOT, 'node_modules/cdk8s-cli/bin/cdk8s');
  const { GATEWAY: _gateway, ...env } = process.env;
  execFileSync(process.execPath, [cli, 'synth', '--app', app, ...flags], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const templates = path.join(output, 'templates');
  return {
    chart: parse(readFileSync(path.join(output, 'Chart.yaml'), 'utf8')),
    templates: readdirSync(templates)
      .sort()
      .map((file) => readFileSync(path.join(templates, file), 'utf8')),
  };
}

test.each(EXAMPLES)('the example %s becomes a chart with the same objects, none of which Helm takes for a template', (name) => {
  const { chart, templates } = chartOf(name, `'${process.execPath}' dist/lib/examples/${name}/main.js`);
  expect(chart).toMatchObject({ apiVersion: 'v2', version: '1.2.3' });
  expect(templates.join('---\n')).toBe(synthExample(name).text);
  expect(templates.filter((text) => text.includes('{{'))).toEqual([]);
});

test('with the picker as an image a release fits into the Secret that Helm keeps it in, and in ConfigMaps it does not', () => {
  const program = path.join(folder, 'app.js');
  writeFileSync(
    program,
    `const { App, Chart } = require('${ROOT}/node_modules/cdk8s');
const aig = require('${ROOT}/dist/lib/src');
const app = new App();
const chart = new Chart(app, 'llm', { namespace: 'ai' });
const backend = new aig.VllmBackend(chart, 'qwen', {
  model: aig.ModelSource.huggingFace('Qwen/Qwen3-14B'),
  accelerator: aig.Accelerator.nvidia('H100', { count: 1 }),
});
const delivery = process.env.DELIVERY === 'image' ? aig.PickerDelivery.image('registry.example.com/picker:1') : undefined;
const pool = new aig.InferencePool(chart, 'pool', { backend, picker: delivery && { delivery } });
const gateway = new aig.AiGateway(chart, 'gateway', { implementation: aig.GatewayImplementation.envoyGateway() });
gateway.addModel('qwen', { pool });
app.synth();
`,
  );
  const bytesOf = (delivery: string): number =>
    releaseBytes(chartOf(delivery, `DELIVERY=${delivery} '${process.execPath}' '${program}'`).templates);
  expect(bytesOf('image')).toBeLessThan(SECRET_BYTES / 10);
  expect(bytesOf('configMap')).toBeGreaterThan(SECRET_BYTES);
});

/** Helm 3 stores the chart's files and the rendered manifest as JSON, gzipped, in base64 (its `pkg/storage/driver/util.go`). */
function releaseBytes(templates: readonly string[]): number {
  const files = templates.map((text, index) => ({ name: `templates/${index}.yaml`, data: Buffer.from(text).toString('base64') }));
  const release = JSON.stringify({ chart: { templates: files }, manifest: templates.join('---\n') });
  return Math.ceil((gzipSync(release, { level: 9 }).length * 4) / 3);
}
