import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { EndpointPicker } from '../../../../src/constructs/endpoint-picker';
import { warningsBelow } from '../../../../src/constructs/internal/emit';
import { PickerDelivery } from '../../../../src/constructs/values/picker-delivery';
import { Scorer } from '../../../../src/constructs/values/scorer';
import { Scoring } from '../../../../src/constructs/values/scoring';
import { pluginsIn } from '../../../../src/picker-config/plugin-module';
import { aPicker, aProgram, containerOf, type ManifestObject } from './support';

const INTERFACE = join(__dirname, '../../../../src/picker/scheduling/interface');
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'plugins-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function scorerFile(name: string, type: string, body = '() => 1'): string {
  return file(
    name,
    `import { defineScorer } from ${JSON.stringify(INTERFACE)};
export const mine = defineScorer({ type: '${type}', create: () => ${body} });
`,
  );
}

const pluginsOf = (objects: readonly ManifestObject[]): ManifestObject =>
  objects.find(({ metadata }) => /-plugins-[0-9a-f]{8}$/.test(metadata.name));

/** The exports of a bundle, run as Node runs it. */
function run(text: string): unknown {
  const loaded = new Module(join(folder, 'plugins.cjs'));
  (loaded as unknown as { _compile(text: string, path: string): void })._compile(text, join(folder, 'plugins.cjs'));
  return loaded.exports;
}

describe('plugins of a picker', () => {
  it('become one file in an immutable ConfigMap, which the picker is started with', () => {
    const plugins = [
      scorerFile('a.ts', 'a-scorer'),
      scorerFile('deep/b.ts', 'b-scorer', '(request, { waiting }) => 1 / (1 + waiting)'),
    ];
    const { objects, only } = aPicker({ plugins, scoring: Scoring.of(Scorer.custom('a-scorer'), Scorer.custom('b-scorer')) });
    const configMap = pluginsOf(objects());
    expect(configMap).toMatchObject({ kind: 'ConfigMap', immutable: true, metadata: { namespace: 'llm' } });
    expect(pluginsIn(run(configMap.data['plugins.cjs'])).plugins.map(({ type }) => type)).toEqual(['a-scorer', 'b-scorer']);
    const deployment = only('Deployment');
    expect(containerOf(deployment).args).toContain('--plugin-file=/etc/picker-plugins/plugins.cjs');
    expect(containerOf(deployment).volumeMounts).toContainEqual({
      name: 'picker-plugins',
      mountPath: '/etc/picker-plugins',
      readOnly: true,
    });
    expect(deployment.spec.template.spec.volumes).toContainEqual({
      name: 'picker-plugins',
      configMap: { name: configMap.metadata.name },
    });
  });

  it('have another name when they change, so that the pods are replaced', () => {
    const nameOf = (body: string): string =>
      pluginsOf(aPicker({ plugins: [scorerFile('a.ts', 'a-scorer', body)] }).objects()).metadata.name;
    expect(nameOf('() => 1')).toBe(nameOf('() => 1'));
    expect(nameOf('() => 1')).not.toBe(nameOf('() => 0'));
  });

  it('may be JavaScript, import what they need, and be named relative to the working directory', () => {
    file('helper.js', 'exports.half = 0.5;');
    const path = file(
      'a.js',
      `const { half } = require('./helper');
exports.mine = { contract: 1, kind: 'scorer', type: 'a-scorer', create: () => () => half };`,
    );
    const { objects } = aPicker({ plugins: [relative(process.cwd(), path)] });
    const [plugin] = pluginsIn(run(pluginsOf(objects()).data['plugins.cjs'])).plugins;
    expect((plugin!.create(undefined) as () => number)()).toBe(0.5);
  });

  it('are none when none are named', () => {
    const { objects, only } = aPicker({ plugins: [] });
    expect(pluginsOf(objects())).toBeUndefined();
    expect(containerOf(only('Deployment')).args.join(' ')).not.toContain('plugin');
  });

  it.each<[string, () => string[], RegExp]>([
    ['a file that is not there', () => [join(folder, 'gone.ts')], /^AIG456 a file of plugins is not there .*gone\.ts/],
    [
      'a type error, with its place',
      () => [scorerFile('a.ts', 'a-scorer', "() => 'high'")],
      /^AIG456 a plugin has a type error: .*'string' is not assignable to type 'number'.*a\.ts:2:\d+'/,
    ],
    ['a syntax error', () => [file('a.js', 'export const = 1;')], /^AIG456 a plugin cannot be bundled: .*a\.js:1:14'/],
    [
      'an import that is not there',
      () => [file('a.js', "require('./gone')")],
      /^AIG456 a plugin cannot be bundled: Could not resolve "\.\/gone"/,
    ],
    [
      'a file without a plugin, beside one with a plugin',
      () => [scorerFile('a.ts', 'a-scorer'), file('b.ts', 'export const x = 1;')],
      /^AIG456 the file exports no plugin \(got '.*b\.ts'\)/,
    ],
    [
      'a file that fails while it loads',
      () => [file('a.js', "throw new Error('boom')")],
      /^AIG456 plugins fail while they load: boom/,
    ],
    [
      'a type that the picker has',
      () => [scorerFile('a.ts', 'queue-scorer')],
      /^AIG456 a plugin has the type of one that is there already \(got '.*a\.ts: queue-scorer'\)/,
    ],
    [
      'the same type in two files',
      () => [scorerFile('a.ts', 'a-scorer'), scorerFile('b.ts', 'a-scorer')],
      /^AIG456 two plugins have the same type \(got 'a-scorer'\)/,
    ],
    [
      'more than kubectl can apply',
      () => [file('a.js', `exports.big = ${JSON.stringify('x'.repeat(190_000))};\n${JS_PLUGIN}`)],
      /^AIG456 the plugins are too large .*allowed: 180000 bytes/,
    ],
  ])('%s is refused', (_, plugins, expected) => {
    expect(() => aPicker({ plugins: plugins() })).toThrow(expected);
  });

  it('are refused for the picker of llm-d', () => {
    const options = { ...EndpointPicker.llmd({ plugins: [scorerFile('a.ts', 'a-scorer')] }), delivery: undefined };
    expect(() => aPicker(options)).toThrow(/^AIG456 the llm-d picker is a program in Go/);
  });

  it('give their flag to the construct alone', () => {
    expect(() => aPicker({ extraArgs: ['--plugin-file=x.cjs'] })).toThrow(/AIG454 --plugin-file .*use plugins/);
  });

  it.each(['esbuild', 'typescript'])('say what to install where %s is not there', (missing) => {
    const path = scorerFile('a.ts', 'a-scorer');
    jest.isolateModules(() => {
      jest.doMock('node:module', () => ({
        ...jest.requireActual('node:module'),
        createRequire: (from: string) => {
          const load = Module.createRequire(from);
          const resolve = (name: string): string => {
            if (name === missing) throw Object.assign(new Error('none'), { code: 'MODULE_NOT_FOUND' });
            return load.resolve(name);
          };
          return Object.assign((name: string) => load(name), { resolve });
        },
      }));
      const { aPicker: isolated } = require('./support') as typeof import('./support');
      expect(() => isolated({ plugins: [path] })).toThrow(
        new RegExp(`^AIG459 ${missing} is needed .*npm install --save-dev ${missing}`),
      );
    });
  });
});

const JS_PLUGIN = "exports.mine = { contract: 1, kind: 'scorer', type: 'a-scorer', create: () => () => 1 };";

describe('a scoring', () => {
  it('may name the types of the plugins, and no other that nobody has', () => {
    const plugins = [scorerFile('a.ts', 'a-scorer')];
    const of = (type: string, options = {}) => aPicker({ plugins, scoring: Scoring.of(Scorer.custom(type)), ...options });
    expect(warningsBelow(of('a-scorer').chart)).toEqual([]);
    expect(() => of('b-scorer')).toThrow(
      /^AIG507 scoring: there is no plugin type 'b-scorer': did you mean 'a-scorer'\? correct the type, or name the file that defines it in plugins/,
    );
    expect(() => of('a-scorer', { plugins: [] })).toThrow(/^AIG507 scoring: there is no plugin type 'a-scorer'/);
  });

  it('of another build may name what that one has built in, with a warning', () => {
    const delivery = PickerDelivery.configMap({ bundleFile: aProgram('1') });
    const { chart } = aPicker({ delivery, scoring: Scoring.of(Scorer.custom('b-scorer')) });
    expect(warningsBelow(chart).map(({ message }) => message)).toEqual([
      "the plugin type 'b-scorer' is not one that this library knows; the picker must have it built in",
    ]);
  });
});
