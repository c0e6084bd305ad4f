import type { Component } from './component';
import { run } from './install';

/** Routers that PyPI has, each in an environment of its own: two of them bring the same modules. They are started as `bin/python <script>`. */
function router(name: string, version: string, variable: string): Component {
  const requirement = `${name}==${version}`;
  return {
    name,
    version,
    variable,
    program: 'bin/python',
    install: (folder) => {
      run('python3', ['-m', 'venv', folder], folder);
      run('bin/python', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement], folder);
    },
    source: `the Python of an environment that has the package ${requirement}`,
  };
}

export const smg = router('smg', '1.13.0', 'SMG');
export const vllmRouter = router('vllm-router', '0.1.17', 'VLLM_ROUTER');
export const sglangRouter = router('sglang-router', '0.3.2', 'SGLANG_ROUTER');
