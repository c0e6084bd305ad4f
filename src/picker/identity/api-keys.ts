import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { VerifiedClient } from './identity';

/** A key and whose it is. */
export interface ApiKey {
  readonly client: string;
  readonly key: string;
}

interface Known {
  readonly digest: Buffer;
  readonly client: VerifiedClient;
}

/**
 * Keys by their digest, so that a look-up costs the same for one key and for a million. The digest begins with a secret of this process:
 * nobody outside can choose one, so how long a look-up takes tells nothing of the keys; the match itself is compared in constant time.
 */
export class ApiKeys {
  private readonly secret = randomBytes(32).toString('base64');
  private known = new Map<string, Known>();

  public get size(): number {
    return this.known.size;
  }

  /** Knows exactly these keys from here on. */
  public replace(keys: readonly ApiKey[]): void {
    const known = new Map<string, Known>();
    for (const { client, key } of keys) {
      const digest = this.digest(key);
      // high entropy and a digest: the name tells nothing of the key, and is the same in every picker
      const name = hash('sha256', key).slice(0, 12);
      known.set(digest.toString('latin1'), { digest, client: { id: client, tenant: undefined, keyName: `${client}/${name}` } });
    }
    this.known = known;
  }

  public find(key: string): VerifiedClient | undefined {
    const digest = this.digest(key);
    const found = this.known.get(digest.toString('latin1'));
    return found !== undefined && timingSafeEqual(found.digest, digest) ? found.client : undefined;
  }

  private digest(key: string): Buffer {
    return hash('sha256', this.secret + key, 'buffer');
  }
}
