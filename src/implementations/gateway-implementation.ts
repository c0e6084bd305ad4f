import { EnvoyGatewayAdapter, type EnvoyGatewayOptions } from './envoy-gateway/adapter';
import type { GatewayAdapter } from './gateway-adapter';
import { GenericAdapter, type GenericGatewayOptions } from './generic/adapter';
import { IstioAdapter, type IstioOptions } from './istio/adapter';
import { KongAdapter, type KongOptions } from './kong/adapter';

/** The Gateway API implementation that runs in the cluster. It decides how pickers are attached and what is refused. */
export class GatewayImplementation {
  /** Envoy Gateway 1.9 and later, without the AI gateway on top. */
  public static envoyGateway = (options: EnvoyGatewayOptions = {}) => new GatewayImplementation(new EnvoyGatewayAdapter(options));
  /** Istio 1.30 and later, with `ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true` for pool mode. */
  public static istio = (options: IstioOptions = {}) => new GatewayImplementation(new IstioAdapter(options));
  /** Kong Ingress Controller 3.5 or Kong Operator 2.x. */
  public static kong = (options: KongOptions = {}) => new GatewayImplementation(new KongAdapter(options));
  /** Any other implementation: sidecar mode, standard Gateway API fields only. */
  public static generic = (options: GenericGatewayOptions) => new GatewayImplementation(new GenericAdapter(options));

  private constructor(
    /** @internal */
    public readonly adapter: GatewayAdapter,
  ) {}

  /** `envoy-gateway`, `istio`, `kong` or `generic`. */
  public get name(): string {
    return this.adapter.capabilities.name;
  }
}
