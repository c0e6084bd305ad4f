import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { ConfigCode } from '../../picker-config/codes';
import { pluginsIn } from '../../picker-config/plugin-module';
import type { Problem } from '../../shared/problem';
import type { CustomScorer } from '../scheduling/interface/custom-scorer';
import { shownFault } from '../scheduling/plugin-faults';
import { readText } from '../server/watched-file';

/**
 * Loads the scorers that a user wrote (`--plugin-file`), a CommonJS module. It runs with all rights of the process: it is its operator's.
 * @param read text of a file
 */
export function loadPlugins(
  file: string | undefined,
  problems: Problem[],
  read: typeof readText = readText,
): readonly CustomScorer[] {
  if (file === undefined) return [];
  const refuse = (why: string): readonly CustomScorer[] => {
    problems.push({
      code: ConfigCode.UNUSABLE_PLUGIN,
      what: `the file of --plugin-file cannot be loaded: ${why}`,
      fix: 'mount the file that the constructs make, and mend what fails while it loads',
      where: file,
    });
    return [];
  };
  const source = read(file);
  if ('error' in source) return refuse(source.error);
  const loaded = { exports: {} as unknown };
  try {
    const path = resolve(file);
    const run = compileFunction(source.text, ['module', 'exports', 'require'], { filename: path });
    run(loaded, loaded.exports, createRequire(path));
  } catch (error) {
    return refuse(shownFault(error));
  }
  const { plugins, faults } = pluginsIn(loaded.exports);
  for (const fault of faults) problems.push({ code: ConfigCode.UNUSABLE_PLUGIN, ...fault, where: file });
  // the contract's version has been compared
  return plugins as readonly CustomScorer[];
}
