import type { BootstrapJwt } from './bootstrap-input';
import { endpoint, typed } from './envoy-values';

const CLUSTER = 'jwks';

/** Where distroless images keep the certificates of public authorities. */
const TRUSTED_CA = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Verifies the client's token before the picker is asked. A request without a valid one gets 401 from here. The claims reach the picker
 * in headers whose copies from clients are gone by then, and the token itself goes no further.
 */
export function jwtFilter(jwt: BootstrapJwt): { [field: string]: unknown } {
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: typed('envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
      providers: {
        client: {
          issuer: jwt.issuer,
          ...(jwt.audiences.length === 0 ? {} : { audiences: [...jwt.audiences] }),
          remote_jwks: {
            http_uri: { uri: jwt.jwksUri, cluster: CLUSTER, timeout: '5s' },
            cache_duration: '600s',
            retry_policy: { num_retries: 2 },
          },
          forward: false,
          claim_to_headers: jwt.claimHeaders.map(({ claim, header }) => ({ claim_name: claim, header_name: header })),
        },
      },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'client' } }],
    }),
  };
}

/** The server of the issuer's keys. */
export function jwksCluster(jwt: BootstrapJwt): { [field: string]: unknown } {
  const { hostname, port, protocol } = new URL(jwt.jwksUri);
  const secure = protocol === 'https:';
  return {
    name: CLUSTER,
    type: 'STRICT_DNS',
    connect_timeout: '5s',
    dns_lookup_family: 'ALL',
    ...(secure
      ? {
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
              sni: hostname,
              common_tls_context: {
                validation_context: {
                  trusted_ca: { filename: TRUSTED_CA },
                  match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: hostname } }],
                },
              },
            }),
          },
        }
      : {}),
    load_assignment: {
      cluster_name: CLUSTER,
      endpoints: [{ lb_endpoints: [endpoint(hostname, port === '' ? (secure ? 443 : 80) : Number(port))] }],
    },
  };
}
