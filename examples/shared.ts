import { ApiGeneration, AttachMode, GatewayImplementation } from '../src';

/** The gateway named by the environment variable GATEWAY. @default envoy-gateway */
export function gatewayFromEnvironment(): GatewayImplementation {
  const name = process.env['GATEWAY'] ?? 'envoy-gateway';
  switch (name) {
    case 'envoy-gateway':
      return GatewayImplementation.envoyGateway();
    case 'istio':
      return GatewayImplementation.istio();
    case 'kong':
      return GatewayImplementation.kong();
    default:
      return GatewayImplementation.generic({ gatewayClassName: name });
  }
}

/** The attach mode named by ATTACH. @default - the gateway's own choice */
export function attachFromEnvironment(): AttachMode | undefined {
  const name = process.env['ATTACH'];
  if (name === undefined) return undefined;
  const mode = AttachMode.named(name);
  if (mode === undefined) throw new Error(`ATTACH is '${name}': allowed are pool, extproc and sidecar`);
  return mode;
}

/** The API generation named by API_GENERATION. @default v1 */
export function generationFromEnvironment(): ApiGeneration {
  const name = process.env['API_GENERATION'] ?? 'v1';
  const generation = ApiGeneration.all().find((known) => known.name === name);
  if (generation === undefined) throw new Error(`API_GENERATION is '${name}': allowed are v1, v1alpha2 and v1alpha1`);
  return generation;
}
