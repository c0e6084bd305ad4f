import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { formatProblem, type Problem } from '../../shared/problem';

export type { Logger } from 'pino';

/** Level for a verbosity of llm-d's scale: up to 2 is its default, 3 verbose, 4 debug, 5 trace. */
export function logLevel(verbosity: number): string {
  if (verbosity <= 2) return 'info';
  return verbosity === 3 ? 'debug' : 'trace';
}

/** One JSON object a line. Written at once, so that the last lines before an exit are not lost. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** One line per problem. */
export function logProblems(log: Logger, message: string, problems: readonly Problem[]): void {
  for (const problem of problems)
    log.error({ code: problem.code, where: problem.where }, `${message}: ${formatProblem(problem)}`);
}
