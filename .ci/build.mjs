// Builds what is published: dist/lib (the library, CommonJS with declarations), dist/picker/main.js (the endpoint picker, one file) and,
// once there is one, dist/bin/cdk8s-ai-gateway.js (the CLI, one file).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { programOptions, scraperProgram } from './scraper-program.cjs';

const root = join(fileURLToPath(import.meta.url), '../..');
const { version, dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const wanted = process.argv.slice(2);
const wants = (part) => wanted.length === 0 || wanted.includes(part);

if (wants('picker')) await bundle('src/picker/main.ts', 'dist/picker/main.js', { define: scraperProgram(root) });
if (wants('cli') && existsSync(join(root, 'src/cli/main.ts'))) {
  // what the library depends on is installed beside it, and must be the same copy
  await bundle('src/cli/main.ts', 'dist/bin/cdk8s-ai-gateway.js', {
    external: Object.keys({ ...dependencies, ...peerDependencies }),
    banner: '#!/usr/bin/env node',
  });
}
if (wants('lib')) library();

/**
 * One CommonJS file, and in .cache/inputs which files went into it, for `npm run sbom`. Names are kept, so that a stack trace from a
 * production picker can be read.
 */
async function bundle(entry, outfile, { define, external, banner }) {
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    ...programOptions,
    legalComments: 'eof',
    define: { 'process.env.PACKAGE_VERSION': JSON.stringify(version), ...define },
    external: external ?? [],
    banner: banner === undefined ? {} : { js: banner },
    logLevel: 'warning',
  });
  const inputs = join(root, '.cache/inputs', `${outfile}.json`);
  mkdirSync(dirname(inputs), { recursive: true });
  writeFileSync(inputs, JSON.stringify(Object.keys(metafile.inputs)));
  console.log(`${outfile}: ${Math.round(statSync(join(root, outfile)).size / 1024)} KiB`);
}

/** The public entries and all they reach, with imports/ and examples/; of the picker that is its scheduler alone. */
function library() {
  rmSync(join(root, 'dist/lib'), { recursive: true, force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const project = join(root, '.cache/tsconfig.lib.json');
  const include = ['imports', 'examples'].filter((folder) => existsSync(join(root, folder))).map((folder) => `../${folder}`);
  writeFileSync(
    project,
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: { rootDir: '..', outDir: '../dist/lib', types: ['node'], typeRoots: ['../node_modules/@types'] },
      files: [
        '../src/index.ts',
        '../src/picker/scheduling/interface/index.ts',
        '../src/testing/index.ts',
        '../src/validation/index.ts',
        '../src/cli/overview.ts',
      ],
      include,
      exclude: [],
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { cwd: root, stdio: 'inherit' });
  console.log('dist/lib: built');
}
