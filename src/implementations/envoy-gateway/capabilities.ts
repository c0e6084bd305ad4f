import { AttachMode } from '../attach-mode';
import type { CapabilityTable } from '../capabilities';

/** Evidence: Envoy Gateway v1.9, its CRDs and translator, and a run of its server in host mode with Envoy 1.40. */
export const ENVOY_GATEWAY: CapabilityTable = {
  name: 'envoy-gateway',
  displayName: 'Envoy Gateway',
  version: '1.9',
  defaultGatewayClassName: 'envoy-gateway',
  controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
  attachModes: [AttachMode.EXTPROC, AttachMode.SIDECAR],
  attachNotes: {
    pool: 'Envoy Gateway alone refuses an InferencePool as a backend (ResolvedRefs=False, InvalidKind) and answers 500',
  },
  pickerTls: false,
  installation: [],
  features: {
    'request-timeout': { supported: true, evidence: 'run: a route without it is cut after 15 s' },
    'backend-request-timeout': { supported: true, evidence: 'conformance report v1.9.0' },
    'rule-names': { supported: true, evidence: 'conformance report v1.9.0, HTTPRouteNamedRouteRule' },
    'cors-filter': { supported: true, evidence: 'conformance report v1.9.0, HTTPRouteCORS' },
    'cors-with-pool': { supported: false, evidence: 'attach modes', note: 'there is no pool mode' },
    'cors-object': { supported: false, evidence: 'not needed', note: 'the CORS filter does it' },
    'weighted-pools': {
      supported: false,
      evidence: 'internal/ir/xds.go, NeedsClusterPerSetting',
      note: 'weighted backends of a rule become one cluster, and the picked endpoint overrides the weights',
    },
    'fail-open': {
      supported: false,
      evidence: 'CRD rule of EnvoyExtensionPolicy',
      note: 'failOpen is refused together with FullDuplexStreamed bodies, and Envoy answers 500 to requests with a body whatever is set',
    },
    'body-routing': {
      supported: false,
      evidence: 'envoyproxy/gateway issues 9444, 9796',
      note: 'filters of a route that is chosen again after the body are missing, its SecurityPolicy among them',
    },
    'stream-idle-timeout': {
      supported: true,
      evidence: 'run: BackendTrafficPolicy timeout.http.streamIdleTimeout ends a stuck picker with 504',
    },
    jwt: { supported: true, evidence: 'SecurityPolicy jwt, whose filter goes before ext_proc; run with Envoy 1.40' },
    'jwt-on-shared-gateway': { supported: true, evidence: 'SecurityPolicy is attached to the route' },
    'token-limits': {
      supported: true,
      evidence: 'BackendTrafficPolicy rateLimit.global with cost.response from metadata; run with ratelimit and Redis',
      note: 'in extproc mode, and with a rate limit backend in the installation',
    },
    'early-header-removal': { supported: true, evidence: 'ClientTrafficPolicy headers.earlyRequestHeaders.remove' },
  },
};
