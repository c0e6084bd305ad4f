/** Priorities by the name of an InferenceObjective (llm-d), as a request header names it. */
export class Objectives {
  private priorities: ReadonlyMap<string, number> = new Map();

  public replaceAll(priorities: ReadonlyMap<string, number>): void {
    this.priorities = priorities;
  }

  /** Higher goes first, below 0 is shed first; 0 for a name that is not known, and for none. */
  public priorityOf(name: string | undefined): number {
    return name === undefined ? 0 : (this.priorities.get(name) ?? 0);
  }

  public get size(): number {
    return this.priorities.size;
  }
}
