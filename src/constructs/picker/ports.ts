/** Where the gateway's proxies connect: `envoy.service.ext_proc.v3.ExternalProcessor`. */
export const EXT_PROC_PORT = 9002;
/** `grpc.health.v1.Health`, plaintext. */
export const HEALTH_PORT = 9003;
/** `/metrics`, plaintext. */
export const METRICS_PORT = 9090;
/** Where other replicas of the picker connect, plaintext. */
export const PEER_PORT = 9004;

/** Names of the ports on the Service and the pods; the same as those of the llm-d charts, which scrape configurations know. */
export const EXT_PROC_PORT_NAME = 'grpc-ext-proc';
export const HEALTH_PORT_NAME = 'grpc-health';
export const METRICS_PORT_NAME = 'http-metrics';
export const PEER_PORT_NAME = 'tcp-peers';
