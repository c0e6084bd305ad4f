import { flagsHelp } from '../picker-config/flag-docs';
import { parseFlags } from '../picker-config/flag-parser';
import { isScraperWorker, runScraperWorker } from './metrics-scraper/scraper-worker';
import { PickerProgram } from './program/picker-program';
import { programLogLevel, programSettings } from './program/settings';
import { createLog, logProblems } from './telemetry/log';

// written in by the build (.ci/build.mjs)
const VERSION = process.env.PACKAGE_VERSION ?? 'development';

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
  const program = new PickerProgram(settings, { log, version: VERSION, programFile: __filename });
  if (faults.length === 0) faults.push(...(await program.start()));
  if (faults.length > 0) {
    logProblems(log, 'the picker cannot start', faults);
    process.exit(1);
  }
  let isEnding = false;
  const end = (signal: NodeJS.Signals): void => {
    // who asks twice does not want to wait
    if (isEnding) process.exit(1);
    isEnding = true;
    log.info({ signal }, 'asked to end');
    program.drain().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'the picker could not end in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

if (isScraperWorker()) runScraperWorker();
else void main();
