/**
 * Generation of the inference extension's API that the cluster runs. `InferencePool` changed its group and its fields
 * between them, `InferenceModel` exists in the two older ones only.
 */
export class ApiGeneration {
  /** `inference.networking.k8s.io/v1`, since September 2025. */
  public static readonly V1 = new ApiGeneration('v1', 'inference.networking.k8s.io', 'v1');
  /** `inference.networking.x-k8s.io/v1alpha2`, served by releases 0.2 to 1.4. */
  public static readonly V1ALPHA2 = new ApiGeneration('v1alpha2', 'inference.networking.x-k8s.io', 'v1alpha2');
  /** `inference.networking.x-k8s.io/v1alpha1`, served by release 0.1 only. */
  public static readonly V1ALPHA1 = new ApiGeneration('v1alpha1', 'inference.networking.x-k8s.io', 'v1alpha1');

  /** All of them, newest first. */
  public static all(): ApiGeneration[] {
    return [ApiGeneration.V1, ApiGeneration.V1ALPHA2, ApiGeneration.V1ALPHA1];
  }

  private constructor(
    /** `v1`, `v1alpha2` or `v1alpha1`. */
    public readonly name: string,
    /** API group of InferencePool. */
    public readonly poolGroup: string,
    private readonly poolVersion: string,
  ) {}

  /** `apiVersion` of InferencePool. */
  public get poolApiVersion(): string {
    return `${this.poolGroup}/${this.poolVersion}`;
  }
}
