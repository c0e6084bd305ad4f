/**
 * Request headers that steer routing, priority or identity. A client that could set one would choose its pod, its priority or its
 * budget, so every way in removes them. Names of the endpoint picker protocol in both generations, and our own.
 */
export const CONTROL_HEADERS: readonly string[] = [
  'x-gateway-destination-endpoint',
  'x-gateway-destination-endpoint-subset',
  'x-gateway-inference-fairness-id',
  'x-gateway-inference-objective',
  'x-gateway-model-name-rewrite',
  'x-llm-d-inference-fairness-id',
  'x-llm-d-inference-objective',
  'x-llm-d-model-name-rewrite',
  'x-prefiller-host-port',
  'x-encoder-hosts-ports',
  'x-data-parallel-host-port',
  'x-kv-cache-source-host-port',
  'x-aig-client-id',
  'x-aig-tenant',
  'x-aig-pool',
];
