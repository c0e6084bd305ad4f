import type { Component } from './component';

export const buildah: Component = {
  name: 'buildah',
  variable: 'BUILDAH',
  program: 'buildah',
  onPath: 'buildah',
  source: 'the Debian package buildah',
};
