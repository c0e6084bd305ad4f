import { AttachMode } from '../attach-mode';
import type { CapabilityTable } from '../capabilities';

/** Evidence: Istio 1.28 to 1.31, source and conformance reports. */
export const ISTIO: CapabilityTable = {
  name: 'istio',
  displayName: 'Istio',
  version: '1.30',
  defaultGatewayClassName: 'istio',
  controllerName: 'istio.io/gateway-controller',
  attachModes: [AttachMode.POOL, AttachMode.SIDECAR],
  attachNotes: { extproc: 'the policies of extproc mode are kinds of Envoy Gateway' },
  pickerTls: true,
  installation: ['istiod runs with ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true (pool mode)'],
  features: {
    'request-timeout': { supported: true, evidence: 'conformance report 1.30, HTTPRouteRequestTimeout' },
    'backend-request-timeout': { supported: true, evidence: 'conformance report 1.30, HTTPRouteBackendTimeout' },
    'rule-names': {
      supported: false,
      evidence: 'pilot/pkg/config/kube/gateway/route_collections.go',
      note: 'picker settings are kept by rule name over all routes of a host: two rules of one name lose a picker',
    },
    'cors-filter': { supported: true, evidence: 'conformance report 1.30, HTTPRouteCORS' },
    'cors-with-pool': {
      supported: false,
      evidence: 'pilot/pkg/networking/core/route/route.go',
      note: 'a CORS filter on a rule with an InferencePool silently disables its picker: traffic goes round robin',
    },
    'cors-object': { supported: false, evidence: 'not needed', note: 'the CORS filter does it' },
    'weighted-pools': {
      supported: false,
      evidence: 'pilot/pkg/config/kube/gateway/conversion.go',
      note: 'of several InferencePools in a rule only the last one’s picker is asked',
    },
    'fail-open': { supported: true, evidence: 'conformance report with GIE 1.5.0' },
    'body-routing': { supported: false, evidence: 'needs the payload processor', note: 'the gateway does not read the body' },
    'stream-idle-timeout': { supported: true, evidence: 'EnvoyFilter; Istio itself sets none' },
    jwt: { supported: true, evidence: 'RequestAuthentication outputClaimToHeaders, AuthorizationPolicy; security.istio.io/v1' },
    'jwt-on-shared-gateway': {
      supported: false,
      evidence: 'targetRefs of RequestAuthentication take a Gateway, no HTTPRoute',
      note: 'Istio verifies tokens for a Gateway as a whole, and this one is not made here',
    },
    'token-limits': {
      supported: false,
      evidence: 'security.istio.io, networking.istio.io: no kind for it',
      note: 'Istio has no API for limits of tokens',
    },
    'early-header-removal': { supported: true, evidence: 'EnvoyFilter; Istio itself has no field for it' },
  },
};
