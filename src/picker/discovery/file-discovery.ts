import { ConfigCode } from '../../picker-config/codes';
import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import type { EndpointSink } from '../datastore/pool-endpoints';
import { type Endpoint, formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import { readText, WatchedFiles } from '../server/watched-file';
import { type Logger, logProblems } from '../telemetry/log';
import type { EndpointDiscovery, SourceStatus } from './endpoint-discovery';
import { type FileEndpoint, parseEndpointsFile } from './endpoints-file';
import { HostNames, type ResolveHost, systemResolver } from './host-names';
import { SourceState } from './source-state';

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
export class FileDiscovery implements EndpointDiscovery {
  private readonly names: HostNames;
  private watched: WatchedFiles | undefined;
  private entries: readonly FileEndpoint[] = [];
  private text: string | undefined;
  private readonly state: SourceState;

  public constructor(
    private readonly options: FileDiscoveryOptions,
    private readonly store: EndpointSink,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    clock: Clock,
  ) {
    this.state = new SourceState(`file ${options.path}`, clock);
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
   */
  public start(onSynced: () => void): readonly Problem[] {
    const problems = this.load();
    if (problems.length > 0) {
      this.stop();
      return problems;
    }
    const { path, watch, watchIntervalMs } = this.options;
    onSynced();
    if (watch) this.watched = new WatchedFiles([path], () => this.reload(), watchIntervalMs);
    return [];
  }

  public stop(): void {
    this.watched?.close();
    this.names.close();
  }

  public statuses(): readonly SourceStatus[] {
    return [this.state.status];
  }

  private reload(): void {
    const problems = this.load();
    if (problems.length > 0) this.state.failed(problems[0]!.what);
    else this.state.followed();
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
    this.state.synced();
    this.state.followed();
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
