import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../shared/problem';
import { showBoard } from './board/live-board';
import { loadPlan, refuse } from './load-plan';
import { UP_USAGE, type UpOptions, upOptions } from './options';
import { freePorts, isFree } from './run/free-ports';
import { Session } from './run/session';
import { requestExample } from './tour/request-example';
import { runTour } from './tour/tour';

const DEFAULT_PORT = 8080;

/** `cdk8s-ai-gateway up`. @param programFile the running program @returns exit code */
export async function up(args: readonly string[], programFile: string): Promise<number> {
  const options = upOptions(args);
  if (options === 'help') {
    process.stdout.write(UP_USAGE);
    return 0;
  }
  if (!('sources' in options)) return refuse(options);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await run(options, programFile, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 0;
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

async function run(options: UpOptions, programFile: string, stopped: AbortSignal): Promise<number> {
  const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);
  const loaded = loadPlan(options.sources, { maxReplicas: options.replicasMax, accelerator: options.accelerator }, say);
  if (!('plan' in loaded)) return refuse(loaded);
  const { plan } = loaded;
  const notice = (text: string): void => say(`NOTE ${text}`);
  const port = await portFor(options.port);
  if (port === undefined) return refuse([portTaken(options.port!)]);
  const session = await Session.start(
    plan,
    {
      programFile,
      pickerFile: pickerFile(programFile),
      port,
      envoy: options.envoy,
      speed: options.speed,
      seed: options.seed,
      notice,
      ...(options.verbose ? { onLine: (line: string) => process.stderr.write(`${line}\n`) } : {}),
    },
    stopped,
  );
  // The board or the tour would go on after a failure of what they look at.
  const over = new AbortController();
  const ends = AbortSignal.any([stopped, over.signal]);
  try {
    for (const line of requestExample(session)) say(line);
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ kind: 'ready', url: session.url, proxy: session.proxy.kind })}\n`);
    }
    const work = async (): Promise<number> => {
      const held = options.tour ? await runTour(session, say, ends) : true;
      if (!options.tour || options.stay || options.once) await showBoard(session, options, ends);
      return held ? 0 : 1;
    };
    const failed = session.failure().then((reason) => {
      throw new Error(reason);
    });
    return await Promise.race([work(), failed]);
  } finally {
    over.abort();
    await session.stop();
  }
}

async function portFor(wanted: number | undefined): Promise<number | undefined> {
  if (wanted !== undefined) return (await isFree(wanted)) ? wanted : undefined;
  return (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : (await freePorts(1))[0];
}

function portTaken(port: number): Problem {
  return { code: 'AIG605', what: `port ${port} is taken`, fix: 'give another --port, or leave it out for a free one' };
}

/** The picker's bundle lies beside the CLI's, in the published package as in a checkout. */
function pickerFile(programFile: string): string {
  const file = join(programFile, '../../picker/main.js');
  if (!existsSync(file)) throw new Error(`the picker is not built: ${file} is missing; run npm run build`);
  return file;
}
