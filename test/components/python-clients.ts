import type { Component } from './component';
import { run } from './install';

const PACKAGES = ['openai==3.54.0', 'anthropic==2.12.0'];

/** A Python that has OpenAI's and Anthropic's clients, in an environment of its own. */
export const pythonClients: Component = {
  name: 'python-clients',
  version: '1',
  variable: 'PYTHON_CLIENTS',
  program: 'bin/python',
  install: (folder) => {
    run('python3', ['-m', 'venv', folder], folder);
    run('bin/python', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], folder);
  },
  source: `a Python 3.9 or later with the packages ${PACKAGES.join(' and ')}`,
};
