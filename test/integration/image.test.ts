import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { NODE_IMAGE } from '../../src/constructs/values/picker-delivery';
import { PICKER_RUNTIME_VARIABLES } from '../../src/picker-config/runtime';
import { describeWith } from '../components/describe-with';
import { writePickerFiles } from '../components/picker-files';
import { eventually, type RunningProcess } from '../components/process';
import { type ImageConfig, ImageStore } from './image/image-store';
import { runImage } from './image/run-image';
import { destinationOf, ExtProcClient } from './picker-program/ext-proc-client';
import { fileModeFlags, metricsEngine, type ServingLine } from './picker-program/start-picker';

const root = join(__dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const CONTAINERFILE = readFileSync(join(root, 'Containerfile'), 'utf8');

test('both stages are made from the Node that runs the picker without an image, unless another is asked for', () => {
  expect(CONTAINERFILE.match(/^ARG \w+_IMAGE=.*/gm)).toEqual([`ARG BUILD_IMAGE=${NODE_IMAGE}`, `ARG BASE_IMAGE=${NODE_IMAGE}`]);
});

test('the image starts the picker with the variables that a stock Node image is given', () => {
  for (const [name, value] of Object.entries(PICKER_RUNTIME_VARIABLES)) expect(CONTAINERFILE).toContain(`    ${name}=${value}`);
});

test('without a builder npm run image says what to do', () => {
  const { status, stderr } = spawnSync(process.execPath, ['.ci/image.mjs'], { cwd: root, env: { PATH: '' }, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('neither buildah nor docker is in PATH');
});

test('a build that fails is no success', () => {
  const { status, stderr } = spawnSync(process.execPath, ['.ci/image.mjs', '--no-such-flag'], { cwd: root, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).not.toContain('is built by');
});

// mounting an image and changing the user is for root; .ci/run is root
const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env['CI'] !== 'true') process.stderr.write('SKIPPED the image: needs root\n');

(isRoot || process.env['CI'] === 'true' ? describeWith : describeNothing)(
  ['buildah', 'node24'],
  'the image',
  ({ buildah, node24 }) => {
    let store: ImageStore;
    let image: ImageConfig;
    let files: string;
    let folder: string;
    let flags: string[];
    const servers: Server[] = [];
    const clients: ExtProcClient[] = [];

    beforeAll(async () => {
      store = new ImageStore(buildah);
      store.makeRuntimeBase('runtime-base', node24);
      store.makeBuildBase('build-base', node24);
      const bases = ['BUILD_IMAGE=localhost/build-base', 'BASE_IMAGE=localhost/runtime-base'];
      const said = store.buildPicker(...bases.flatMap((base) => ['--build-arg', base]));
      expect(said).toContain(`cdk8s-ai-gateway-picker:${version} is built by buildah`);
      const name = `localhost/cdk8s-ai-gateway-picker:${version}`;
      image = store.configOf(name);
      files = store.mount(name);
      folder = join(store.folder, 'config');
      mkdirSync(folder);
      const { port, server } = await metricsEngine(() => 5);
      servers.push(server);
      flags = fileModeFlags(writePickerFiles(folder, [port]));
    }, 600_000);

    afterAll(() => {
      for (const client of clients) client.destroy();
      for (const server of servers) server.close();
      store?.remove();
    }, 60_000);

    async function start(args: readonly string[]): Promise<RunningProcess & ServingLine> {
      const running = await runImage(files, image, folder, args, /^(\{.*endpoint picker is serving.*\})$/m);
      return { ...running, ...(JSON.parse(running.readyMatch[1]!) as ServingLine) };
    }

    function connect(url: string): ExtProcClient {
      const client = new ExtProcClient(url, { rejectUnauthorized: false });
      clients.push(client);
      return client;
    }

    test('says what is in it and how to run it', () => {
      expect(image).toMatchObject({
        User: '65532:65532',
        Entrypoint: ['node', '/picker/main.js'],
        ExposedPorts: { '9002/tcp': {}, '9003/tcp': {}, '9090/tcp': {} },
        StopSignal: 'SIGTERM',
        Labels: { 'org.opencontainers.image.version': version, 'org.opencontainers.image.licenses': 'Apache-2.0' },
      });
      expect(image.Cmd ?? []).toEqual([]);
    });

    test('has the program, the licences and the base, and nothing of the build', () => {
      expect(readdirSync(join(files, 'picker')).sort()).toEqual(['LICENSE', 'NOTICE', 'main.js']);
      expect(readdirSync(join(files, 'usr/local/bin'))).toEqual(['node']);
      expect(readdirSync(files)).not.toContain('source');
      expect(readdirSync(files)).not.toContain('bin');
    });

    test('runs as nobody on a read-only root, scrapes, decides, tells its health, and ends when it is asked to', async () => {
      const picker = await start(flags);
      const status = readFileSync(`/proc/${picker.pid}/status`, 'utf8');
      expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)!.slice(1)).toEqual(['65532', '65532']);
      expect(/^Gid:\s+(\d+)/m.exec(status)![1]).toBe('65532');
      expect(/^CapEff:\s+(\w+)/m.exec(status)![1]).toMatch(/^0+$/);
      expect(/^NoNewPrivs:\s+(\d)/m.exec(status)![1]).toBe('1');
      expect(() => writeFileSync(`/proc/${picker.pid}/root/picker/x`, '')).toThrow('EROFS');

      const health = connect(`http://127.0.0.1:${picker.healthPort}`);
      for (const service of ['liveness', 'readiness', 'inference-extension'])
        expect(await health.health(service)).toBe('SERVING');
      await eventually('metrics of the engine', async () =>
        (await (await fetch(`http://127.0.0.1:${picker.metricsPort}/metrics`)).text()).includes(
          'llm_d_epp_average_queue_size{name="epp"} 5',
        ),
      );
      const stream = connect(`http://127.0.0.1:${picker.grpcPort}`).open();
      stream.chat('llama', 'hello');
      expect(await destinationOf(stream)).toMatch(/^127\.0\.0\.1:\d+$/);
      stream.end();
      await stream.ended;

      await picker.stop('SIGTERM', 15_000);
      expect(await picker.exited).toBe(0);
      expect(picker.output()).toContain('"msg":"stopped"');
    });

    test('makes its certificate without writing it anywhere', async () => {
      const picker = await start(flags.filter((flag) => flag !== '--secure-serving=false'));
      const stream = connect(`https://127.0.0.1:${picker.grpcPort}`).open();
      stream.chat('llama', 'hello');
      expect(await destinationOf(stream)).toMatch(/^127\.0\.0\.1:\d+$/);
      stream.end();
      await picker.stop('SIGTERM', 15_000);
      expect(await picker.exited).toBe(0);
    });
  },
);

function describeNothing(_names: readonly string[], title: string): void {
  describe.skip(title, () => {
    it('needs root', () => undefined);
  });
}

test('the context that is sent to the builder holds what Containerfile copies, and no more', () => {
  const kept = readFileSync(join(root, '.containerignore'), 'utf8')
    .match(/^!.*/gm)!
    .map((line) => line.slice(1));
  const copied = CONTAINERFILE.match(/^COPY (?!--from).*/gm)!.flatMap((line) => line.split(' ').slice(1, -1));
  expect(copied.map((path) => path.replace(/\/$/, '')).sort()).toEqual([...kept].sort());
  expect(dirname(kept.find((path) => path.endsWith('build.mjs'))!)).toBe('.ci');
});
