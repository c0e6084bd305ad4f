import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const root = join(__dirname, '../../..');

/** What an image says about the program in it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
}

/** Images of one test, apart from those of the machine. No registry is asked: the bases are made of files of this machine. */
export class ImageStore {
  public readonly folder = mkdtempSync(join(tmpdir(), 'image-'));
  private readonly env: NodeJS.ProcessEnv;

  public constructor(private readonly buildah: string) {
    const file = join(this.folder, 'storage.conf');
    // vfs: plain copies work wherever tests run, in containers too
    const places = `graphroot = "${join(this.folder, 'storage')}"\nrunroot = "${join(this.folder, 'run')}"`;
    writeFileSync(file, `[storage]\ndriver = "vfs"\n${places}\n`);
    this.env = { ...process.env, CONTAINERS_STORAGE_CONF: file };
    this.env['PATH'] = `${dirname(buildah)}${delimiter}${process.env['PATH']}`;
  }

  /** Runs buildah on these images. */
  public run(...args: readonly string[]): string {
    return execFileSync(this.buildah, args, { env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  /** An image of a program and the libraries that it needs, and nothing else. */
  public makeRuntimeBase(name: string, node: string): void {
    const files = this.newRoot(name);
    copyProgram(node, '/usr/local/bin/node', files);
    this.commit(name, files);
  }

  /** An image that npm runs in: a shell, env, and npm as it is installed on this machine, with its settings for the network. */
  public makeBuildBase(name: string, node: string): void {
    const files = this.newRoot(name);
    copyProgram(node, '/usr/local/bin/node', files);
    copyProgram('/bin/sh', '/bin/sh', files);
    copyProgram('/usr/bin/env', '/usr/bin/env', files);
    const npm = dirname(dirname(realpathSync(execFileSync('/usr/bin/which', ['npm'], { encoding: 'utf8' }).trim())));
    cpSync(npm, join(files, 'usr/local/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(files, 'usr/local/bin/npm'));
    const settings = ['HOME=/root', 'npm_config_prefer_offline=true'];
    const authorities = process.env['NODE_EXTRA_CA_CERTS'];
    if (authorities !== undefined) {
      cpSync(realpathSync(authorities), join(files, 'etc/authorities.crt'));
      settings.push('NODE_EXTRA_CA_CERTS=/etc/authorities.crt');
    }
    this.commit(name, files, `ENV ${settings.join(' ')}\n`);
  }

  /** `npm run image`, with the network of this machine and its npm cache. */
  public buildPicker(...args: readonly string[]): string {
    const cache = execFileSync('npm', ['config', 'get', 'cache'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const volumes = ['--volume', `${cache}:/root/.npm`];
    const npmrc = join(homedir(), '.npmrc');
    if (existsSync(npmrc)) volumes.push('--volume', `${npmrc}:/root/.npmrc:ro`);
    return execFileSync('npm', ['run', 'image', '--', '--isolation', 'chroot', '--network', 'host', ...volumes, ...args], {
      cwd: root,
      env: this.env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  public configOf(image: string): ImageConfig {
    return (JSON.parse(this.run('inspect', '--type', 'image', image)) as { OCIv1: { config: ImageConfig } }).OCIv1.config;
  }

  /** The image's files in a folder. */
  public mount(image: string): string {
    return this.run('mount', this.run('from', '--pull-never', image));
  }

  public remove(): void {
    this.run('rm', '--all');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private newRoot(name: string): string {
    const files = join(this.folder, name);
    // what every container runtime mounts
    for (const folder of ['proc', 'dev', 'etc', 'root', 'tmp']) mkdirSync(join(files, folder), { recursive: true });
    return files;
  }

  private commit(name: string, files: string, more = ''): void {
    const file = join(this.folder, `${name}.containerfile`);
    writeFileSync(file, `FROM scratch\nCOPY . /\n${more}`);
    this.run('build', '--quiet', '--tag', `localhost/${name}`, '--file', file, files);
    rmSync(files, { recursive: true });
  }
}

function copyProgram(program: string, path: string, files: string): void {
  cpSync(realpathSync(program), join(files, path));
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+\.so\S*/g) ?? [];
  for (const library of libraries) cpSync(realpathSync(library), join(files, library));
}
