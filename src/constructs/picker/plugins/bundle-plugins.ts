import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import type { IConstruct } from 'constructs';
import type { BuildFailure, Message } from 'esbuild';
import { type ModuleFault, type PluginDefinition, pluginsIn } from '../../../picker-config/plugin-module';
import type { Problem } from '../../../shared/problem';
import { refuseAll } from '../../internal/errors';
import { typeProblems } from './check-types';
import { optionalPeer } from './optional-peer';

/** Plugins of a user as one file. */
export interface BundledPlugins {
  /** A CommonJS module, with everything that it imports but Node's own modules. */
  readonly text: string;
  readonly plugins: readonly PluginDefinition[];
}

/** `kubectl apply` repeats an object in an annotation of at most 262,144 bytes. */
const LARGEST_BYTES = 180_000;

type Esbuild = typeof import('esbuild');

/**
 * Checks the types of the files, bundles them, and loads the bundle as the picker will.
 *
 * @param files relative to the working directory
 * @throws AIG456 with everything that is wrong, AIG459 when a package for it is not installed
 */
export function bundlePlugins(scope: IConstruct, files: readonly string[]): BundledPlugins {
  const paths = files.map((file) => resolve(file));
  refuseAll(
    scope,
    paths
      .filter((path) => !existsSync(path))
      .map((path) => fault({ what: 'a file of plugins is not there', value: path, fix: FIX_PATH })),
  );
  const esbuild = optionalPeer(scope, 'esbuild') as Esbuild;
  refuseAll(scope, typeProblems(scope, paths));
  const problems: Omit<Problem, 'where'>[] = [];
  for (const path of paths) {
    const { faults } = load(esbuild, [path]);
    problems.push(
      ...faults.map((each) =>
        fault({ ...each, value: each.value === undefined ? shown(path) : `${shown(path)}: ${String(each.value)}` }),
      ),
    );
  }
  refuseAll(scope, problems);
  const { text, plugins, faults } = load(esbuild, paths);
  if (Buffer.byteLength(text) > LARGEST_BYTES) {
    faults.push({
      what: 'the plugins are too large for a ConfigMap that kubectl can apply',
      value: `${Buffer.byteLength(text)} bytes`,
      allowed: `${LARGEST_BYTES} bytes`,
      fix: 'import less: a scorer needs no libraries',
    });
  }
  refuseAll(scope, faults.map(fault));
  return { text, plugins };
}

const FIX_PATH = 'correct the path: it is relative to the working directory';

function fault(found: ModuleFault): Omit<Problem, 'where'> {
  return { code: 'AIG456', ...found };
}

function load(esbuild: Esbuild, paths: readonly string[]): BundledPlugins & { readonly faults: ModuleFault[] } {
  const built = bundle(esbuild, paths);
  if ('faults' in built) return { text: '', plugins: [], faults: built.faults };
  try {
    const module = { exports: {} as unknown };
    // names and the order of modules are those of the working directory, so that the text is the same on every machine
    const run = compileFunction(built.text, ['module', 'exports', 'require'], { filename: 'plugins.cjs' });
    run(module, module.exports, createRequire(paths[0]!));
    const { plugins, faults } = pluginsIn(module.exports);
    return { text: built.text, plugins, faults: [...faults] };
  } catch (error) {
    const what = `plugins fail while they load: ${(error as Partial<Error> | undefined)?.message ?? 'they throw what is no Error'}`;
    return { text: '', plugins: [], faults: [{ what, fix: 'mend what runs at the top of the file' }] };
  }
}

function bundle(esbuild: Esbuild, paths: readonly string[]): { readonly text: string } | { readonly faults: ModuleFault[] } {
  const imports = paths.map((path, index) => `import * as file${index} from ${JSON.stringify(shown(path))};`);
  const files = paths.map((_, index) => `file${index}`).join(', ');
  try {
    const { outputFiles } = esbuild.buildSync({
      stdin: {
        contents: `${imports.join('\n')}\nexport const plugins = [${files}].flatMap((file) => Object.values(file));`,
        resolveDir: process.cwd(),
      },
      absWorkingDir: process.cwd(),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      charset: 'utf8',
      write: false,
      logLevel: 'silent',
    });
    return { text: outputFiles[0]!.text };
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    return { faults: errors.map(faultOf) };
  }
}

function faultOf({ text, location }: Message): ModuleFault {
  return {
    what: `a plugin cannot be bundled: ${text}`,
    ...(location === null ? {} : { value: `${location.file}:${location.line}:${location.column + 1}` }),
    fix: 'mend it at the place named',
  };
}

/** The path as esbuild and people want it. */
function shown(path: string): string {
  const short = relative(process.cwd(), path).replaceAll('\\', '/');
  return short.startsWith('.') ? short : `./${short}`;
}
