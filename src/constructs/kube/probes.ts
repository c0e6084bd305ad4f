/** An HTTP GET probe of a container's named or numbered port. */
export interface HttpProbeTarget {
  readonly path: string;
  readonly port: number | string;
  readonly tls: boolean;
}

/** How often a probe asks while a container starts. */
export const STARTUP_PERIOD_SECONDS = 10;

function get(target: HttpProbeTarget): object {
  return { path: target.path, port: target.port, scheme: target.tls ? 'HTTPS' : 'HTTP' };
}

/** Gives a container `budgetSeconds` to answer for the first time; the other probes wait until then. */
export function startupProbe(target: HttpProbeTarget, budgetSeconds: number): object {
  return {
    httpGet: get(target),
    periodSeconds: STARTUP_PERIOD_SECONDS,
    timeoutSeconds: 5,
    failureThreshold: Math.max(1, Math.ceil(budgetSeconds / STARTUP_PERIOD_SECONDS)),
  };
}

/** Takes a pod out of its Services after two failures in a row. */
export function readinessProbe(target: HttpProbeTarget): object {
  return { httpGet: get(target), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 };
}

/**
 * Restarts a container that has not answered for a minute. Slow on purpose: an engine under full load answers late, and to kill
 * it costs every running answer and a reload of the weights.
 */
export function livenessProbe(target: HttpProbeTarget): object {
  return { httpGet: get(target), periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 };
}
