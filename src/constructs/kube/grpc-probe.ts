/** A probe that asks `grpc.health.v1.Health/Check` for `service`. */
export interface GrpcProbeOptions {
  readonly port: number;
  readonly service: string;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

export function grpcProbe(options: GrpcProbeOptions): object {
  const { port, service, periodSeconds, failureThreshold } = options;
  return { grpc: { port, service }, periodSeconds, timeoutSeconds: 2, failureThreshold };
}

/** A probe that only opens a connection. */
export function tcpProbe(options: {
  readonly port: number;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}): object {
  const { port, periodSeconds, failureThreshold } = options;
  return { tcpSocket: { port }, periodSeconds, timeoutSeconds: 2, failureThreshold };
}
