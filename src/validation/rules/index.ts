import { aiGatewayRoutes } from './ai-gateway-routes';
import { autoscaler } from './autoscaler';
import { backendPort } from './backend-port';
import { backendTls } from './backend-tls';
import { bearerKeys } from './bearer-keys';
import { bufferedModels } from './buffered-models';
import { clientChosenKey } from './client-chosen-key';
import { configData } from './config-data';
import { containers } from './containers';
import { deprecatedPolicyFields } from './deprecated-policy-fields';
import { derivedNames } from './derived-names';
import { disruptionBudget } from './disruption-budget';
import { drainTime } from './drain-time';
import { engineAccelerator } from './engine-accelerator';
import { engineProbes } from './engine-probes';
import { engineTelemetry } from './engine-telemetry';
import { engineTypeLabel } from './engine-type-label';
import { environmentVariables } from './environment-variables';
import { experimentalFields } from './experimental-fields';
import { extensionApis } from './extension-apis';
import { externalNameBackend } from './external-name-backend';
import { failureMode } from './failure-mode';
import { forgedHeaders } from './forged-headers';
import { gkeHealthCheck } from './gke-health-check';
import { hookTime } from './hook-time';
import { ignoredRouteFields } from './ignored-route-fields';
import { immutableFields } from './immutable-fields';
import { istioFilterName } from './istio-filter-name';
import { istioNoTimeout } from './istio-no-timeout';
import { istioPoolFilters } from './istio-pool-filters';
import { istioRuleNames } from './istio-rule-names';
import { jobs } from './jobs';
import { kongBuffering } from './kong-buffering';
import { kongGatewayClass } from './kong-gateway-class';
import { kongListenerSets } from './kong-listener-sets';
import { kongRequestLimits } from './kong-request-limits';
import { kongRouterFlavor } from './kong-router-flavor';
import { labelSelectors } from './label-selectors';
import { lateTokenLimits } from './late-token-limits';
import { literalSecrets } from './literal-secrets';
import { missingBudget } from './missing-budget';
import { modelFits } from './model-fits';
import { networkPolicy } from './network-policy';
import { nginxRequestLimits } from './nginx-request-limits';
import { overriddenWeights } from './overridden-weights';
import { parallelSize } from './parallel-size';
import { pickedHeader } from './picked-header';
import { pickerAccess } from './picker-access';
import { pickerFlags } from './picker-flags';
import { pickerLiveness } from './picker-liveness';
import { pickerStreams } from './picker-streams';
import { pickerTls } from './picker-tls';
import { policyConflict } from './policy-conflict';
import { policyTarget } from './policy-target';
import { poolPickerRule } from './pool-picker';
import { poolPort } from './pool-port';
import { poolReference } from './pool-reference';
import { poolSelectorRule } from './pool-selector';
import { poolSupport } from './pool-support';
import { portNumbers } from './port-numbers';
import { probesAndHooks } from './probes-and-hooks';
import { rbac } from './rbac';
import { referenceExists } from './reference-exists';
import { referenceGrant } from './reference-grant';
import { requestLimits } from './request-limits';
import { reroutedSecurity } from './rerouted-security';
import { resourceAmounts } from './resource-amounts';
import { retiredApis } from './retired-apis';
import { rewriteWeights } from './rewrite-weights';
import { rolloutStrategy } from './rollout-strategy';
import { routeListener } from './route-listener';
import { routeNamespace } from './route-namespace';
import type { Rule } from './rule';
import { ruleNames } from './rule-names';
import { sectionPolicy } from './section-policy';
import { servedModelName } from './served-model-name';
import { serviceSpec } from './service-spec';
import { serviceTarget } from './service-target';
import { shortTimeout } from './short-timeout';
import { startupTime } from './startup-time';
import { streamTimeout } from './stream-timeout';
import { stuckPicker } from './stuck-picker';
import { uncountedTokens } from './uncounted-tokens';
import { uniqueNames } from './unique-names';
import { unsupportedFilters } from './unsupported-filters';
import { volumeClaims } from './volume-claims';
import { volumeMounts } from './volume-mounts';
import { weightedPools } from './weighted-pools';
import { workloadSelector } from './workload-selector';

/** Every rule, by code. A rule is one file here and one page in docs/rules. */
export const RULES: readonly Rule[] = [
  workloadSelector,
  uniqueNames,
  portNumbers,
  resourceAmounts,
  volumeMounts,
  probesAndHooks,
  environmentVariables,
  containers,
  labelSelectors,
  serviceSpec,
  configData,
  rbac,
  disruptionBudget,
  autoscaler,
  networkPolicy,
  jobs,
  volumeClaims,
  rolloutStrategy,
  immutableFields,
  referenceExists,
  backendPort,
  serviceTarget,
  poolSelectorRule,
  poolPort,
  routeListener,
  routeNamespace,
  referenceGrant,
  poolPickerRule,
  pickerAccess,
  pickerFlags,
  pickerTls,
  policyTarget,
  policyConflict,
  ruleNames,
  poolSupport,
  poolReference,
  weightedPools,
  istioPoolFilters,
  istioRuleNames,
  unsupportedFilters,
  ignoredRouteFields,
  failureMode,
  derivedNames,
  streamTimeout,
  shortTimeout,
  stuckPicker,
  retiredApis,
  experimentalFields,
  deprecatedPolicyFields,
  extensionApis,
  sectionPolicy,
  bufferedModels,
  externalNameBackend,
  overriddenWeights,
  pickedHeader,
  pickerStreams,
  reroutedSecurity,
  aiGatewayRoutes,
  istioFilterName,
  kongGatewayClass,
  kongBuffering,
  backendTls,
  kongListenerSets,
  kongRouterFlavor,
  gkeHealthCheck,
  istioNoTimeout,
  servedModelName,
  engineProbes,
  startupTime,
  parallelSize,
  modelFits,
  engineTelemetry,
  engineAccelerator,
  missingBudget,
  drainTime,
  hookTime,
  engineTypeLabel,
  rewriteWeights,
  pickerLiveness,
  requestLimits,
  clientChosenKey,
  forgedHeaders,
  literalSecrets,
  uncountedTokens,
  bearerKeys,
  kongRequestLimits,
  nginxRequestLimits,
  lateTokenLimits,
];
