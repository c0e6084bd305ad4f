import { dirname } from 'node:path';
import type { IConstruct } from 'constructs';
import type typescript from 'typescript';
import type { Problem } from '../../../shared/problem';
import { refuse } from '../../internal/errors';
import { optionalPeer } from './optional-peer';

type TypeScript = typeof typescript;

/** What holds for a file without a tsconfig.json above it. */
const STRICT = { strict: true, target: 9, module: 100, moduleResolution: 3 };
/** No file is written, and what others declare is theirs. */
const CHECK_ONLY = { noEmit: true, skipLibCheck: true, composite: false, incremental: false, declaration: false };

/**
 * The type errors of TypeScript files, by the tsconfig.json that is nearest to the first.
 * @throws AIG459 when TypeScript is not installed, or one without the compiler's API
 */
export function typeProblems(scope: IConstruct, files: readonly string[]): Omit<Problem, 'where'>[] {
  const sources = files.filter((file) => /\.[cm]?ts$/.test(file));
  if (sources.length === 0) return [];
  const ts = optionalPeer(scope, 'typescript') as TypeScript;
  if (typeof ts.createProgram !== 'function') {
    refuse(scope, {
      code: 'AIG459',
      what: 'this version of typescript has no createProgram, which checks the types of plugins',
      value: ts.version,
      allowed: '5 and 6',
      fix: 'npm install --save-dev typescript@6',
    });
  }
  const program = ts.createProgram(sources, { ...optionsFor(ts, sources[0]!), ...CHECK_ONLY });
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ category }) => category === ts.DiagnosticCategory.Error)
    .map((diagnostic) => ({
      code: 'AIG456',
      what: `a plugin has a type error: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`,
      value: place(ts, diagnostic),
      fix: 'mend it: what does not compile is not brought to a cluster',
    }));
}

function optionsFor(ts: TypeScript, file: string): typescript.CompilerOptions {
  const project = ts.findConfigFile(dirname(file), ts.sys.fileExists);
  if (project === undefined) return STRICT;
  const { config } = ts.readConfigFile(project, ts.sys.readFile);
  // which files belong to the project does not matter here, so none are looked for
  return ts.parseJsonConfigFileContent({ ...config, files: [file], include: [] }, ts.sys, dirname(project)).options;
}

function place(ts: TypeScript, { file, start }: typescript.Diagnostic): string {
  if (file === undefined || start === undefined) return 'tsconfig.json';
  const { line, character } = ts.getLineAndCharacterOfPosition(file, start);
  return `${file.fileName}:${line + 1}:${character + 1}`;
}
