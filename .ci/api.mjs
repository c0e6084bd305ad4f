// npm run api              writes api/*.api.md: what each entry of the package exports, with types
// npm run api -- --check   changes nothing; fails when a report differs, so that a change of the API is seen in review
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { ensureBuilt } from './built.mjs';

const root = join(fileURLToPath(import.meta.url), '../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = Object.entries(exports).flatMap(([entry, { types }]) =>
  types === undefined ? [] : [[entry === '.' ? 'library' : entry.slice(2), types]],
);

const args = process.argv.slice(2);
const isCheck = args.includes('--check');
const unknown = args.filter((arg) => arg !== '--check');
if (unknown.length > 0) throw new Error(`unknown option ${unknown.join(', ')}; allowed: --check`);

ensureBuilt();
const different = entries.filter(([name, entry]) => !report(name, join(root, entry)));
for (const [name] of different)
  console.error(`api/${name}.api.md is not what the package exports: run npm run api and read the difference`);
process.exitCode = different.length === 0 ? 0 : 1;

/** @returns whether the report is current, or has been written */
function report(name, mainEntryPointFilePath) {
  const reportFolder = join(root, 'api');
  const reportTempFolder = join(root, '.cache/api');
  for (const folder of [reportFolder, reportTempFolder]) mkdirSync(folder, { recursive: true });
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath,
      apiReport: { enabled: true, reportFileName: name, reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: {
        overrideTsconfig: { compilerOptions: { module: 'commonjs', target: 'es2022', skipLibCheck: true, types: [] } },
      },
      newlineKind: 'lf',
      messages: { extractorMessageReporting: { default: { logLevel: 'none', addToApiReportFile: false } } },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: !isCheck,
    // the summary is printed here
    messageCallback: (message) => {
      message.handled ||= message.logLevel !== 'error';
    },
  });
  return !isCheck || !apiReportChanged;
}
