/** The objects that describe models in the cluster, beside the policy of this project's own picker. */
export class ModelApi {
  /** None: the picker's policy says everything. */
  public static readonly POLICY = new ModelApi('policy', undefined);
  /** InferenceObjective and InferenceModelRewrite of `llm-d.ai/v1alpha2`, which llm-d's picker reads. */
  public static readonly LLM_D = new ModelApi('llm-d', 'llm-d.ai/v1alpha2');
  /** The same kinds in their older group `inference.networking.x-k8s.io/v1alpha2`. */
  public static readonly INFERENCE_EXTENSION = new ModelApi('inference-extension', 'inference.networking.x-k8s.io/v1alpha2');

  private constructor(
    public readonly name: string,
    /** `apiVersion` of InferenceObjective and InferenceModelRewrite; undefined for none. */
    public readonly apiVersion: string | undefined,
  ) {}
}
