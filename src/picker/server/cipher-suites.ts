/** OpenSSL's names of the TLS 1.2 suites that HTTP/2 allows (RFC 9113, appendix A), by their Go names (crypto/tls). */
const OPENSSL_NAMES: ReadonlyMap<string, string> = new Map([
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
]);

/** Always offered: Go does not let the suites of TLS 1.3 be chosen either. */
const TLS13_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

export const GO_CIPHER_SUITES: readonly string[] = [...OPENSSL_NAMES.keys()];

/** The cipher list for OpenSSL; undefined for no choice. @throws Error for a suite that is not in GO_CIPHER_SUITES */
export function opensslCiphers(goNames: readonly string[]): string | undefined {
  if (goNames.length === 0) return undefined;
  const names = goNames.map((name) => {
    const known = OPENSSL_NAMES.get(name);
    if (known === undefined) throw new Error(`unknown cipher suite ${name}`);
    return known;
  });
  return [TLS13_SUITES, ...names].join(':');
}
