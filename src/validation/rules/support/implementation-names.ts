/** Gateway implementations that rules know facts about. */
export const IMPLEMENTATIONS = [
  'envoy-gateway',
  'envoy-ai-gateway',
  'istio',
  'kong',
  'agentgateway',
  'kgateway',
  'nginx',
  'gke',
  'traefik',
  'cilium',
  'aws',
  'azure',
] as const;
export type Implementation = (typeof IMPLEMENTATIONS)[number];
