// `npm run image`: builds the picker's image from Containerfile with buildah or docker, named after this package and its version.
// What follows `--` goes to the builder, for example `npm run image -- --build-arg BASE_IMAGE=… --tag registry/name:1`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const folders = (process.env.PATH ?? '').split(delimiter);
const builder = ['buildah', 'docker'].find((program) =>
  folders.some((folder) => folder !== '' && existsSync(join(folder, program))),
);
if (builder === undefined) {
  console.error(
    'npm run image needs a builder of images: neither buildah nor docker is in PATH.\n' +
      'Install one of them, build Containerfile with another builder, or deliver the picker without an image (PickerDelivery.configMap()).',
  );
  process.exit(1);
}

const revision = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
const image = `${name}-picker:${version}`;
const args = ['build', '--file', 'Containerfile', '--tag', image];
args.push('--build-arg', `VERSION=${version}`, '--build-arg', `REVISION=${revision}`, ...process.argv.slice(2), '.');
const { status, error } = spawnSync(builder, args, { cwd: root, stdio: 'inherit' });
if (status !== 0) {
  console.error(`${builder} ${args.join(' ')} failed${error === undefined ? ': its words are above' : `: ${error.message}`}`);
  process.exit(1);
}
console.log(`${image} is built by ${builder}`);
