import { AttachMode } from '../attach-mode';
import type { Capability, CapabilityTable } from '../capabilities';

const unknown = (note: string): Capability => ({ supported: false, evidence: 'nothing is known of this implementation', note });

/** Only what every conforming implementation does: header and path matches, Services as backends. */
export function genericCapabilities(gatewayClassName: string, routeTimeouts: boolean): CapabilityTable {
  const timeouts: Capability = routeTimeouts
    ? { supported: true, evidence: 'standard fields of HTTPRoute' }
    : { supported: false, evidence: 'routeTimeouts: false', note: 'routeTimeouts is false' };
  const sidecarOnly = unknown('the backend of the route is always the proxy of sidecar mode');
  return {
    name: 'generic',
    displayName: `Gateway API (${gatewayClassName})`,
    version: 'Gateway API 1.6',
    defaultGatewayClassName: gatewayClassName,
    controllerName: undefined,
    attachModes: [AttachMode.SIDECAR],
    attachNotes: {
      pool: 'InferencePool backends are an extension that an unknown implementation may not have',
      extproc: 'the policies of extproc mode are kinds of Envoy Gateway',
    },
    pickerTls: false,
    installation: [],
    features: {
      'request-timeout': timeouts,
      'backend-request-timeout': timeouts,
      'rule-names': unknown('rule names are an extended feature'),
      'cors-filter': unknown('the CORS filter is an extended feature'),
      'cors-with-pool': sidecarOnly,
      'cors-object': unknown('no vendor object is known'),
      'weighted-pools': sidecarOnly,
      'fail-open': unknown('in sidecar mode Envoy answers 500 to requests with a body whatever is set'),
      'body-routing': unknown('the proxy of sidecar mode does it'),
      'stream-idle-timeout': unknown('the proxy of sidecar mode does it'),
      jwt: { supported: false, evidence: 'attach modes', note: 'the proxy of sidecar mode does it' },
      'jwt-on-shared-gateway': { supported: false, evidence: 'attach modes', note: 'the proxy of sidecar mode does it' },
      'token-limits': unknown('nothing is known of limits of its own'),
      'early-header-removal': unknown('the proxy of sidecar mode does it'),
    },
  };
}
