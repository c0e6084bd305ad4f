import { type LoadOptions, runLoad } from './run-load';

/** A process of its own, so that it can have a core of its own: options as JSON in, result as JSON out. */
runLoad(JSON.parse(process.argv[2]!) as LoadOptions).then(
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
  (error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
