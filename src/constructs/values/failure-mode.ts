import { InferencePoolSpecEndpointPickerRefFailureMode as Spelling } from '../../../imports/inference.networking.k8s.io';

/** What a gateway does with a pool's requests while its picker does not answer. */
export class FailureMode {
  /** Fail them. */
  public static readonly FAIL_CLOSE = new FailureMode(Spelling.FAIL_CLOSE);
  /** Send them to any endpoint of the pool. Only in pool mode, and only where the gateway honours it. */
  public static readonly FAIL_OPEN = new FailureMode(Spelling.FAIL_OPEN);

  private constructor(
    /** As the InferencePool object spells it. */
    public readonly name: Spelling,
  ) {}
}
