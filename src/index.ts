export { AiGatewayValidation, type AiGatewayValidationProps, type ValidationPluginContext } from './ai-gateway-validation';
export { AiGateway, type AiGatewayAttributes, type AiGatewayProps } from './constructs/ai-gateway';
export { ConcurrencyLimit, type ConcurrencyLimitOptions, type ConcurrencyLimitProps } from './constructs/concurrency-limit';
export {
  EndpointPicker,
  type EndpointPickerOptions,
  type EndpointPickerProps,
  type PickerResources,
} from './constructs/endpoint-picker';
export type { RouteOptions } from './constructs/gateway/extra-route';
export type { ModelGatewayOptions } from './constructs/gateway/gateway-props';
export type { IAiGateway } from './constructs/gateway/model-gateway';
export {
  type IInferenceModel,
  InferenceModel,
  type InferenceModelOptions,
  type InferenceModelProps,
  type ModelTarget,
  type ResolvedTarget,
} from './constructs/inference-model';
export {
  type IInferencePool,
  InferencePool,
  type InferencePoolAttributes,
  type InferencePoolProps,
} from './constructs/inference-pool';
export { warningsBelow, whyOf } from './constructs/internal/emit';
export { AiGatewayError } from './constructs/internal/errors';
export type { PoolReference } from './constructs/internal/pool-reference';
export type { Toleration } from './constructs/kube/pod-template';
export type { IModelBackend, NetworkPeer, SecretKey } from './constructs/model-backend';
export { PickerLimit, type PickerLimitOptions, type PickerLimitProps, type WindowOptions } from './constructs/picker-limit';
export { RequestRateLimit, type RequestRateLimitOptions, type RequestRateLimitProps } from './constructs/request-rate-limit';
export type { SidecarProxyOptions } from './constructs/sidecar/sidecar-proxy';
export { SmallValkey, type SmallValkeyProps } from './constructs/small-valkey';
export { TokenRateLimit, type TokenRateLimitOptions, type TokenRateLimitProps } from './constructs/token-rate-limit';
export {
  Accelerator,
  type AcceleratorOptions,
  type CustomAcceleratorOptions,
  type TpuOptions,
} from './constructs/values/accelerator';
export { ApiGeneration } from './constructs/values/api-generation';
export { CalendarWindow, type CalendarWindowOptions } from './constructs/values/calendar-window';
export { ClientIdentity, type JwtIdentityOptions } from './constructs/values/client-identity';
export type { CorsOptions } from './constructs/values/cors';
export { Criticality } from './constructs/values/criticality';
export { KvCacheDataType, ModelDataType } from './constructs/values/data-type';
export { EndpointChooser, type EndpointChooserOptions, type PowerOfKOptions } from './constructs/values/endpoint-chooser';
export { FailureMode } from './constructs/values/failure-mode';
export { Filter, type PrefixCacheAffinityFilterOptions, type UtilizationFilterOptions } from './constructs/values/filter';
export {
  Eviction,
  type FlowControlOptions,
  type PriorityBandOptions,
  QueueFairness,
  QueueOrder,
  type SaturationOptions,
  type WaitingRoomOptions,
} from './constructs/values/flow-control';
export {
  type CertManagerOptions,
  GatewayListener,
  type HttpListenerOptions,
  type HttpsListenerOptions,
  ListenerCertificate,
  type SecretCertificateOptions,
} from './constructs/values/gateway-listener';
export { LimitEnforcement } from './constructs/values/limit-enforcement';
export type { ModelAccess } from './constructs/values/model-access';
export { ModelApi } from './constructs/values/model-api';
export { ModelCatalogue } from './constructs/values/model-catalogue/catalogue';
export type { ModelSpec } from './constructs/values/model-catalogue/model-spec';
export { ChatTemplate, LoraAdapter, ModelCache } from './constructs/values/model-files';
export {
  type BucketOptions,
  type HuggingFaceOptions,
  type LocalModelOptions,
  ModelSource,
} from './constructs/values/model-source';
export { type ConfigMapDeliveryOptions, PickerDelivery } from './constructs/values/picker-delivery';
export { PickerProgram } from './constructs/values/picker-program';
export {
  type CircuitBreakerSignalOptions,
  type GpuUsageOptions,
  PickerSignal,
  type ReportTrustOptions,
  type SpeedEstimatorOptions,
} from './constructs/values/picker-signal';
export { Quantization } from './constructs/values/quantization';
export { RateLimitKey, type TrustedHeaderOptions } from './constructs/values/rate-limit-key';
export {
  type ActiveRequestScorerOptions,
  type ContextLengthScorerOptions,
  type ExpectedCostScorerOptions,
  type LoadAwareScorerOptions,
  type NoHitLruScorerOptions,
  type PrefixCacheScorerOptions,
  Scorer,
  type ScorerOptions,
  type TokenLoadScorerOptions,
} from './constructs/values/scorer';
export { Scoring } from './constructs/values/scoring';
export { type INamedObject, SecretReference } from './constructs/values/secret-reference';
export { Stickiness } from './constructs/values/stickiness';
export { type RedisOptions, StoreFailure, TokenStore } from './constructs/values/token-store';
export { VllmBackend } from './constructs/vllm-backend';
export { CapacityCheck, type VllmBackendProps } from './constructs/vllm-backend-props';
export { AttachMode } from './implementations/attach-mode';
export type { EnvoyGatewayOptions } from './implementations/envoy-gateway/adapter';
export { GatewayImplementation } from './implementations/gateway-implementation';
export type { GenericGatewayOptions } from './implementations/generic/adapter';
export type { IstioOptions } from './implementations/istio/adapter';
export type { KongOptions } from './implementations/kong/adapter';
export type { Problem } from './shared/problem';
