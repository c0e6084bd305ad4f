// The checks of .ci/run, in order. Goes on after a failure, so that one run tells everything.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const bin = (name) => join(root, 'node_modules/.bin', name);
const results = join(root, '.cache/jest-results.json');
mkdirSync(join(root, '.cache'), { recursive: true });
rmSync(results, { force: true });

let passed = 0;
let failed = 0;

check('format and lint', bin('biome'), ['ci', '--error-on-warnings', '.']);
check('only what belongs to the house is committed', process.execPath, ['.ci/committed.mjs']);
check('import rules', bin('depcruise'), ['--config', '.ci/import-rules.cjs', 'src']);
check('types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']);
check('build', process.execPath, ['.ci/build.mjs']);
check('imports are what the pinned schemas give', process.execPath, ['.ci/import.mjs', '--check']);
check('package: publint', bin('publint'), ['--strict']);
check('package: types resolve for every consumer', bin('attw'), ['--pack', '.', '--profile', 'node16']);
check('public API is what api/ says', process.execPath, ['.ci/api.mjs', '--check']);
check('npm start', process.execPath, ['.ci/start.mjs']);
check('tests', process.execPath, ['.ci/test.mjs', '--ci', '--json', `--outputFile=${results}`], countTests);
check('nothing generated differs from what is committed', 'git', ['diff', '--exit-code', '--stat']);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function check(title, command, args, count) {
  console.log(`\n=== ${title}`);
  const start = Date.now();
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CI: 'true' },
  });
  console.log(`--- ${title}: ${status === 0 ? 'ok' : 'FAILED'} after ${Math.round((Date.now() - start) / 1000)} s`);
  if (count === undefined || !count(status)) {
    if (status === 0) passed++;
    else failed++;
  }
}

/** Adds what jest counted. A run that skipped a test has failed: in CI no program may be missing. */
function countTests(status) {
  let report;
  try {
    report = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return false;
  }
  passed += report.numPassedTests;
  failed += report.numFailedTests + report.numRuntimeErrorTestSuites + report.numPendingTests;
  if (report.numPendingTests > 0) console.log(`${report.numPendingTests} tests were skipped: in CI that is a failure`);
  if (status !== 0 && report.numFailedTests + report.numRuntimeErrorTestSuites === 0) failed++;
  return true;
}
