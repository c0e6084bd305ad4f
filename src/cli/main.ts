// The command line program. Commands are loaded when they are asked for, so that none pays for the others.

import { isMainThread } from 'node:worker_threads';

interface Command {
  readonly summary: string;
  /** Gets the arguments after the command's name; resolves to the exit code. */
  readonly load: () => (args: readonly string[]) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  validate: {
    summary: 'check manifests as an API server, a gateway and an operator would',
    load: () => (require('./validate/command') as typeof import('./validate/command')).validateCommand,
  },
  up: {
    summary: 'run what manifests say on this machine: picker, simulated engines, proxy',
    load: () => (args) => (require('./up/up') as typeof import('./up/up')).up(args, __filename),
  },
  explain: {
    summary: 'say rule by rule why a request goes where it goes',
    load: () => (require('./explain/command') as typeof import('./explain/command')).explain,
  },
};

const USAGE = `Usage: cdk8s-ai-gateway <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

cdk8s-ai-gateway <command> --help tells the options of a command.
`;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(USAGE);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${process.env['PACKAGE_VERSION'] ?? 'development'}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`no such command: ${name}\n\n${USAGE}`);
    return 2;
  }
  return command.load()(rest);
}

// Simulated engines run in a thread that starts from this file.
if (isMainThread) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 2;
    },
  );
} else {
  (require('./up/run/engine-fleet') as typeof import('./up/run/engine-fleet')).runFleetWorker();
}
// A reader that has seen enough, `| head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
