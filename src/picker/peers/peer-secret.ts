import { createHmac, timingSafeEqual } from 'node:crypto';
import { MAC_BYTES } from './wire-format';

/**
 * Proof that a peer knows the shared secret, for one connection between two: HMAC-SHA256 of the nonce of whoever was connected to, and both
 * ids. Zeros where no secret is shared. What follows on the connection is not signed: it keeps strangers out, not the network itself.
 */
export function proofOf(secret: Buffer | undefined, nonce: Buffer, serverId: Buffer, clientId: Buffer): Buffer {
  if (secret === undefined) return Buffer.alloc(MAC_BYTES);
  return createHmac('sha256', secret).update(nonce).update(serverId).update(clientId).digest();
}

/** Compares in constant time. */
export function isSameProof(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
