import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { ConfigCode } from '../../picker-config/codes';
import { pluginsIn } from '../../picker-config/plugin-module';
import type { Problem } from '../../shared/problem';
import type { CustomScorer } from '../scheduling/interface/custom-scorer';
import { shownFault } from '../scheduling/plugin-faults';

/** Loads the scorers that a user wrote (`--plugin-file`), a CommonJS module. It runs with all rights of the picker: it is its operator's. */
export function loadPlugins(file: string | undefined, problems: Problem[]): readonly CustomScorer[] {
  if (file === undefined) return [];
  const path = resolve(file);
  let exports: unknown;
  try {
    exports = createRequire(path)(path);
  } catch (error) {
    problems.push({
      code: ConfigCode.UNUSABLE_PLUGIN,
      what: `the file of --plugin-file cannot be loaded: ${shownFault(error)}`,
      fix: 'mount the file that the constructs make, and mend what fails while it loads',
      where: file,
    });
    return [];
  }
  const { plugins, faults } = pluginsIn(exports);
  for (const fault of faults) problems.push({ code: ConfigCode.UNUSABLE_PLUGIN, ...fault, where: file });
  // the contract's version has been compared
  return plugins as readonly CustomScorer[];
}
