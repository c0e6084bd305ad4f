import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import { DEFAULT_LIMITS, type Http2Limits } from '../http2/limits';

/** Body size that the default limits of the HTTP/2 server are made for. */
const USUAL_MAX_BODY_BYTES = 16 * 2 ** 20;

/** Limits that let a body of this size in, and its echo out: those on buffered bytes grow with it. */
export function limitsFor(maxBodyBytes: number): Partial<Http2Limits> {
  const factor = Math.max(1, maxBodyBytes / USUAL_MAX_BODY_BYTES);
  return {
    maxStreamBufferedBytes: DEFAULT_LIMITS.maxStreamBufferedBytes * factor,
    maxConnectionBufferedBytes: DEFAULT_LIMITS.maxConnectionBufferedBytes * factor,
    maxTotalBufferedBytes: DEFAULT_LIMITS.maxTotalBufferedBytes * factor,
  };
}

/** Opens a port on one host. */
export type Listen = (port: number, host: string) => Promise<void>;

/** What the system says where it has no IPv6. */
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/**
 * Opens a port on a host, or on all addresses of both families, or of IPv4 where the machine has no IPv6.
 * @returns why it cannot be opened
 */
export async function openPort(
  listen: Listen,
  flag: string,
  port: number,
  host: string | undefined,
): Promise<Problem | undefined> {
  try {
    if (host !== undefined) {
      await listen(port, host);
      return undefined;
    }
    try {
      await listen(port, '::');
    } catch (error) {
      if (!NO_IPV6.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await listen(port, '0.0.0.0');
    }
    return undefined;
  } catch (error) {
    return {
      code: ConfigCode.CANNOT_LISTEN,
      what: `the port of --${flag} cannot be opened: ${(error as Error).message}`,
      value: host === undefined ? port : `${host}:${port}`,
      fix: `free the port, or set --${flag} to another one`,
    };
  }
}
