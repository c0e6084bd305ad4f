/** When a leaving pod may stop. */
export interface DrainOptions {
  readonly ports: readonly number[];
  readonly tls: boolean;
  /** Wait before the first look, while routers drop the pod. */
  readonly delaySeconds: number;
  /** Longest wait for running answers after that. */
  readonly longestAnswerSeconds: number;
  /** Time between two looks. @default 1 */
  readonly pollSeconds?: number;
}

/** Time that the engine has to free its GPUs after the last answer. */
const SHUTDOWN_SECONDS = 30;

/** Grace period of the pod: the delay, the longest answer, and the engine's own end. */
export function gracePeriodSeconds(options: DrainOptions): number {
  return options.delaySeconds + options.longestAnswerSeconds + SHUTDOWN_SECONDS;
}

/**
 * A preStop hook that ends when no rank has running or waiting requests, twice in a row. SIGTERM comes only after it, and would
 * abort every running answer. An engine that refuses connections is gone; one that answers late is busy. It uses the image's python3 and the engine's own metrics, which need no key; the certificate is not
 * verified because it is issued for another name than 127.0.0.1.
 */
export function drainHook(options: DrainOptions): object {
  return { preStop: { exec: { command: ['python3', '-c', drainScript(options)] } } };
}

function drainScript({ ports, tls, delaySeconds, longestAnswerSeconds, pollSeconds = 1 }: DrainOptions): string {
  const context = tls ? 'ssl._create_unverified_context()' : 'None';
  return `import ssl, time, urllib.error, urllib.request
def busy(port):
    url = '${tls ? 'https' : 'http'}://127.0.0.1:%d/metrics' % port
    try:
        text = urllib.request.urlopen(url, timeout=5, context=${context}).read().decode()
    except urllib.error.URLError as error:
        return 0 if isinstance(error.reason, ConnectionRefusedError) else 1
    except OSError:
        return 1
    names = ('vllm:num_requests_running', 'vllm:num_requests_waiting{', 'vllm:num_requests_waiting ')
    return sum(float(line.rsplit(' ', 1)[1]) for line in text.splitlines() if line.startswith(names))
time.sleep(${delaySeconds})
idle, end = 0, time.monotonic() + ${longestAnswerSeconds}
while idle < 2 and time.monotonic() < end:
    idle = idle + 1 if sum(busy(port) for port in ${JSON.stringify(ports)}) == 0 else 0
    time.sleep(${pollSeconds})
`;
}
