import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import type { PeerSettings } from '../peers/peer-exchange';
import { readText } from '../server/watched-file';
import type { PeerFlags } from './settings';

/** Shorter ones can be guessed. */
const MIN_SECRET_CHARS = 16;

/** How other replicas are found and known; undefined for none. */
export function peerSettings(flags: PeerFlags | undefined, problems: Problem[]): PeerSettings | undefined {
  if (flags === undefined) return undefined;
  const { addresses, port, secretFile } = flags;
  if (secretFile === undefined) return { addresses, port, secret: undefined };
  const file = readText(secretFile);
  const secret = 'text' in file ? file.text.trim() : '';
  if (secret.length >= MIN_SECRET_CHARS) return { addresses, port, secret: Buffer.from(secret) };
  problems.push({
    code: ConfigCode.UNUSABLE_FILE,
    what:
      'error' in file
        ? `the file of --peer-secret-file cannot be read: ${file.error}`
        : 'the secret of --peer-secret-file is too short',
    value: secretFile,
    allowed: `at least ${MIN_SECRET_CHARS} characters`,
    fix: 'mount the Secret, the same for all replicas',
  });
  return undefined;
}
