import { AttachMode } from '../attach-mode';
import type { CapabilityTable } from '../capabilities';

const SIDECAR_DOES_IT = 'the proxy of sidecar mode does it';

/** Evidence: Kong Ingress Controller 3.5, Kong Operator 2.3, their sources and conformance reports. */
export const KONG: CapabilityTable = {
  name: 'kong',
  displayName: 'Kong',
  version: 'KIC 3.5, KO 2.3',
  defaultGatewayClassName: 'kong',
  controllerName: 'konghq.com/kic-gateway-controller',
  attachModes: [AttachMode.SIDECAR],
  attachNotes: {
    pool: 'Kong skips backends that are not a Service',
    extproc: 'the policies of extproc mode are kinds of Envoy Gateway',
  },
  pickerTls: false,
  installation: [
    'GatewayClass has the annotation konghq.com/gatewayclass-unmanaged: "true" (Ingress Controller without the operator)',
  ],
  features: {
    'request-timeout': { supported: false, evidence: 'conformance report', note: 'timeouts.request is ignored' },
    'backend-request-timeout': { supported: true, evidence: 'conformance report; sets connect, read and write timeout' },
    'rule-names': { supported: false, evidence: 'conformance report, HTTPRouteNamedRouteRule', note: 'not claimed' },
    'cors-filter': {
      supported: false,
      evidence: 'conformance report, HTTPRouteCORS',
      note: 'an unknown filter makes the whole route invalid',
    },
    'cors-with-pool': { supported: false, evidence: 'attach modes', note: 'there is no pool mode' },
    'cors-object': { supported: true, evidence: 'the cors plugin' },
    'weighted-pools': { supported: false, evidence: 'attach modes', note: 'there is no pool mode' },
    'fail-open': {
      supported: false,
      evidence: 'attach modes',
      note: 'in sidecar mode Envoy answers 500 to requests with a body whatever is set',
    },
    'body-routing': { supported: false, evidence: 'ai-proxy-advanced is an enterprise plugin', note: SIDECAR_DOES_IT },
    'stream-idle-timeout': {
      supported: true,
      evidence: 'Service annotation konghq.com/read-timeout: the longest gap between two reads',
    },
    jwt: { supported: false, evidence: 'attach modes', note: 'the proxy of sidecar mode does it' },
    'jwt-on-shared-gateway': { supported: false, evidence: 'attach modes', note: 'the proxy of sidecar mode does it' },
    'token-limits': {
      supported: true,
      evidence: 'ai-rate-limiting-advanced, schema of Kong Gateway 3.15; not run: an enterprise plugin',
      note: 'with Kong AI Gateway Enterprise, and an ai-proxy plugin of yours on the route',
    },
    'early-header-removal': { supported: false, evidence: 'plugins run after routing', note: SIDECAR_DOES_IT },
  },
};
