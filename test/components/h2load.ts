import type { Component } from './component';

export const h2load: Component = {
  name: 'h2load',
  variable: 'H2LOAD',
  program: 'h2load',
  onPath: 'h2load',
  source: 'the Debian package nghttp2-client',
};
