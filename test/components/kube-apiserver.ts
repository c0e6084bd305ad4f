import type { Component } from './component';

/** No registry serves it ready to run: Kubernetes' module has to be built as a `tool` of another module. */
export const kubeApiserver: Component = {
  name: 'kube-apiserver',
  version: '1.37.2',
  variable: 'KUBE_APISERVER',
  program: 'kube-apiserver',
  source: 'build k8s.io/kubernetes/cmd/kube-apiserver v1.37.2 from its source (5–10 minutes), or take a release binary',
};
