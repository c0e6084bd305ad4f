/** `spec` of a policy/v1 PodDisruptionBudget that lets one pod go at a time, so that a node drain does not take all replicas. */
export function disruptionBudgetSpec(podLabels: { readonly [key: string]: string }): object {
  return {
    selector: { matchLabels: podLabels },
    maxUnavailable: 1,
    // a pod that never became ready serves nobody and must not block a drain
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  };
}
