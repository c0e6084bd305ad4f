import type { Component } from './component';

/** The store behind kube-apiserver; its module has `replace` lines, so `go install` refuses it. */
export const etcd: Component = {
  name: 'etcd',
  version: '3.7.0',
  variable: 'ETCD',
  program: 'etcd',
  source: 'build go.etcd.io/etcd/server/v3 v3.7.0 from its source, or take a release binary',
};
