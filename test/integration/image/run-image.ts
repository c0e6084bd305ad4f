import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '../../components/process';
import type { ImageConfig } from './image-store';

/**
 * Runs an image's entry point as a container runtime does for a pod with `readOnlyRootFilesystem` and `allowPrivilegeEscalation: false`:
 * in a mount namespace of its own with a read-only root, as the image's user, with the image's environment and nothing else.
 */
const CONTAINER = `
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1$2"
mount -o remount,bind,ro "$1$2"
mount -o remount,bind,ro "$1"
shift 2
exec env -i "$@"
`;

/** @param files a folder to mount at its own path, read-only */
export function runImage(
  root: string,
  image: ImageConfig,
  files: string,
  args: readonly string[],
  ready: RegExp,
): Promise<RunningProcess> {
  mkdirSync(join(root, files), { recursive: true });
  const chroot = ['/usr/bin/setpriv', '--no-new-privs', '/usr/sbin/chroot', `--userspec=${image.User}`, '--groups=', root];
  const command = [...image.Env, ...chroot, ...image.Entrypoint, ...args];
  return startProcess('unshare', {
    args: ['--mount', '--propagation', 'private', 'sh', '-c', CONTAINER, 'container', root, files, ...command],
    ready,
  });
}
