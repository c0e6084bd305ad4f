import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import type { EndpointSink } from '../datastore/pool-endpoints';
import { type Endpoint, formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import { readText, WatchedFiles } from '../server/watched-file';
import { type Logger, logProblems } from '../telemetry/log';
import { type FileEndpoint, parseEndpointsFile } from './endpoints-file';
import { HostNames, type ResolveHost, systemResolver } from './host-names';

export interface FileDiscoveryOptions {
  readonly path: string;
  /** Follow changes of the file. */
  readonly watch: boolean;
  /** @default 1000 */
  readonly watchIntervalMs?: number;
  /** How often host names are resolved again. @default 5000 */
  readonly resolveIntervalMs?: number;
  /** @default the system's resolver */
  readonly resolve?: ResolveHost;
}

const DEFAULT_RESOLVE_INTERVAL_MS = 5_000;

/**
 * Fills a store with the endpoints of a file (llm-d's `file-discovery`). A name with several addresses stands for an endpoint at each of
 * them, as a headless Service does. A file that is broken after a change leaves the endpoints as they were.
 */
export class FileDiscovery {
  private readonly names: HostNames;
  private watched: WatchedFiles | undefined;
  private entries: readonly FileEndpoint[] = [];
  private text: string | undefined;

  public constructor(
    private readonly options: FileDiscoveryOptions,
    private readonly store: EndpointSink,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
  ) {
    const listener = {
      onChange: () => this.publish(),
      onFailure: (host: string, reason: string) =>
        log.warn({ host, reason }, 'a host name cannot be resolved, its last addresses stay'),
      onRecovery: (host: string) => log.info({ host }, 'a host name can be resolved again'),
    };
    const { resolve = systemResolver, resolveIntervalMs = DEFAULT_RESOLVE_INTERVAL_MS } = options;
    this.names = new HostNames(resolve, listener, resolveIntervalMs);
  }

  /**
   * Reads the file. Endpoints with addresses are in the store when this returns, those with host names as soon as these are resolved.
   * @returns why the file cannot be used; nothing is watched then
   */
  public start(): readonly Problem[] {
    const problems = this.load();
    if (problems.length > 0) {
      this.stop();
      return problems;
    }
    const { path, watch, watchIntervalMs } = this.options;
    if (watch) this.watched = new WatchedFiles([path], () => this.reload(), watchIntervalMs);
    return [];
  }

  public stop(): void {
    this.watched?.close();
    this.names.close();
  }

  private reload(): void {
    const problems = this.load();
    if (problems.length > 0)
      logProblems(this.log as Logger, 'the changed endpoints file is broken, the old endpoints stay', problems);
    else this.log.info({ path: this.options.path, endpoints: this.entries.length }, 'the endpoints file was read again');
  }

  private load(): readonly Problem[] {
    const { path } = this.options;
    const file = readText(path);
    if ('error' in file) {
      return [
        {
          code: ConfigCode.UNUSABLE_FILE,
          what: `the endpoints file cannot be read: ${file.error}`,
          fix: 'mount the file, or correct the path of file-discovery',
          where: path,
        },
      ];
    }
    if (file.text === this.text) return [];
    const { endpoints, problems } = parseEndpointsFile(file.text, path);
    if (endpoints === undefined) return problems;
    this.text = file.text;
    this.entries = endpoints;
    this.names.want(endpoints.filter(({ isHostName }) => isHostName).map(({ host }) => host));
    this.publish();
    return [];
  }

  private publish(): void {
    this.store.replaceAll(this.entries.flatMap((entry) => this.endpointsOf(entry)));
  }

  private endpointsOf({ name, namespace, host, isHostName, port, labels }: FileEndpoint): Endpoint[] {
    const addresses = isHostName ? this.names.addressesOf(host) : [host];
    return addresses.map((address) => ({
      name,
      ...(namespace === undefined ? {} : { namespace }),
      address,
      port,
      labels,
      ready: true,
      hostPort: formatHostPort(address, port),
    }));
  }
}
