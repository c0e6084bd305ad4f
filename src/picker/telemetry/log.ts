import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { formatProblem, type Problem } from '../../shared/problem';
import { LogOutput } from './log-output';

export type { Logger } from 'pino';

/** Level for a verbosity of llm-d's scale: up to 2 is its default, 3 verbose, 4 debug, 5 trace. */
export function logLevel(verbosity: number): string {
  if (verbosity <= 2) return 'info';
  return verbosity === 3 ? 'debug' : 'trace';
}

/**
 * One JSON object a line, written without waiting: a reader that is slow must not hold up requests.
 * @param destination @default standard output
 */
export function createLog(level: string, destination: DestinationStream = standardOutput()): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination);
}

function standardOutput(): DestinationStream {
  const output = new LogOutput(1);
  process.once('exit', () => output.flushSync());
  return output;
}

/** One line per problem. */
export function logProblems(log: Logger, message: string, problems: readonly Problem[]): void {
  for (const problem of problems)
    log.error({ code: problem.code, where: problem.where }, `${message}: ${formatProblem(problem)}`);
}
