import type { Component } from './component';

export const curl: Component = {
  name: 'curl',
  variable: 'CURL',
  program: 'curl',
  onPath: 'curl',
  source: 'the Debian package curl, which speaks HTTP/2',
};
