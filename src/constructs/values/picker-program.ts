/** Which endpoint picker runs. */
export class PickerProgram {
  /** This project's picker: active on every replica, many pools and models, token budgets. */
  public static readonly OWN = new PickerProgram('own');
  /** The picker of the llm-d project: one pool, one active replica, none of the picker policy. */
  public static readonly LLMD = new PickerProgram('llm-d');

  private constructor(
    /** `own` or `llm-d`. */
    public readonly name: string,
  ) {}
}
