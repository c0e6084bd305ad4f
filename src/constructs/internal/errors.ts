import type { IConstruct } from 'constructs';
import { formatProblem, type Problem } from '../../shared/problem';

const BRAND = Symbol.for('cdk8s-ai-gateway.AiGatewayError');

/** Thrown by every construct of this library for a value that it cannot accept. */
export class AiGatewayError extends Error {
  /** True for an error of this class, also when it comes from another copy of the library. */
  public static isAiGatewayError(error: unknown): error is AiGatewayError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }

  /** `AIG4xx`, see docs/errors.md. */
  public readonly code: string;
  /** Path of the construct that refused the value. */
  public readonly constructPath?: string;
  public readonly problem: Problem;
  /** Everything that was found wrong, `problem` first. */
  public readonly problems: readonly Problem[];

  public constructor(problem: Problem, ...more: readonly Problem[]) {
    super([problem, ...more].map(formatProblem).join('\n'));
    this.name = 'AiGatewayError';
    this.code = problem.code;
    this.constructPath = problem.where;
    this.problem = problem;
    this.problems = [problem, ...more];
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Refuses a value with everything the user needs to mend it. `scope` gives the construct path; value classes have none. */
export function refuse(scope: IConstruct | undefined, problem: Omit<Problem, 'where'>): never {
  throw new AiGatewayError(scope === undefined ? problem : { ...problem, where: scope.node.path });
}

/** Refuses everything in `problems` with one error, so that a user mends all of it in one go; returns when there is nothing. */
export function refuseAll(scope: IConstruct, problems: readonly Omit<Problem, 'where'>[]): void {
  const [first, ...more] = problems.map((problem) => ({ ...problem, where: scope.node.path }));
  if (first !== undefined) throw new AiGatewayError(first, ...more);
}
