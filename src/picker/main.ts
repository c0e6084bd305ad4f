import { flagsHelp } from '../picker-config/flag-docs';
import { parseFlags } from '../picker-config/flag-parser';
import { PickerProgram } from './program/picker-program';
import { programLogLevel, programSettings } from './program/settings';
import { settleHeap } from './program/settled-heap';
import { createLog, logProblems } from './telemetry/log';

// written in by the build (.ci/build.mjs)
const VERSION = process.env.PACKAGE_VERSION ?? 'development';
const SCRAPER_PROGRAM = process.env.SCRAPER_PROGRAM!;

/** Everything is closed by then; what still is not may not keep the process for ever. */
const LAST_WORDS_MS = 2_000;

/** Ends the process once its log is written: an exit at once would cut or reorder the last lines. */
function endWith(code: number): void {
  process.exitCode = code;
  setTimeout(() => process.exit(code), LAST_WORDS_MS).unref();
}

async function main(): Promise<void> {
  const { values, problems: flagProblems, notices } = parseFlags(process.argv.slice(2));
  if (values.boolean('help')) {
    process.stdout.write(flagsHelp());
    return;
  }
  if (values.boolean('version')) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const log = createLog(programLogLevel(values));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the picker failed');
    process.exit(1);
  });
  const { settings, problems } = programSettings(values, process.env['NAMESPACE']);
  const faults = [...flagProblems, ...problems];
  for (const notice of notices) log.info(notice);
  const program = new PickerProgram(settings, { log, version: VERSION, scraperProgram: SCRAPER_PROGRAM });
  if (faults.length === 0) faults.push(...(await program.start()));
  if (faults.length > 0) {
    logProblems(log, 'the picker cannot start', faults);
    endWith(1);
    return;
  }
  settleHeap();
  let isEnding = false;
  const end = (signal: NodeJS.Signals): void => {
    if (isEnding) {
      // a person who asks twice does not want to wait; supervisors repeat themselves
      if (signal === 'SIGINT') process.exit(1);
      return;
    }
    isEnding = true;
    log.info({ signal }, 'asked to end');
    program.drain().then(
      () => endWith(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'the picker could not end in order');
        endWith(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

void main();
