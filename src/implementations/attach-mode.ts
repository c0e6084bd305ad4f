/** How a gateway reaches the picker: docs/concepts/attach-modes.md. */
export class AttachMode {
  /** The route's backend is the InferencePool itself; the gateway asks the pool's picker. */
  public static readonly POOL = new AttachMode('pool');
  /** The route's backend is the engines' Service; a policy of Envoy Gateway asks the picker. One pool. */
  public static readonly EXTPROC = new AttachMode('extproc');
  /** The route's backend is a proxy Deployment: Envoy with the picker as its sidecar, which sees all models and pools. */
  public static readonly SIDECAR = new AttachMode('sidecar');

  /** The mode of that name. Undefined for a name that is none. */
  public static named(name: string): AttachMode | undefined {
    return [AttachMode.POOL, AttachMode.EXTPROC, AttachMode.SIDECAR].find((mode) => mode.name === name);
  }

  private constructor(
    /** `pool`, `extproc` or `sidecar`. */
    public readonly name: string,
  ) {}
}
