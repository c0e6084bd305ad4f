import { monotonicClock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import { unpredictableRandom } from '../../shared/random';
import { EndpointStore } from '../datastore/endpoint-store';
import { ModelRewrites } from '../datastore/model-rewrites';
import { Objectives } from '../datastore/objectives';
import { PooledEndpoints } from '../datastore/pool-endpoints';
import type { ModelResolver } from '../director/model-resolver';
import { PickerDirector } from '../director/picker-director';
import { externalProcessor } from '../ext-proc/external-processor';
import type { GrpcMethod } from '../http2/grpc';
import { Http2Server } from '../http2/server';
import { MetricsScraper } from '../metrics-scraper/metrics-scraper';
import type { ScrapeEvent } from '../metrics-scraper/scrape-protocol';
import { ScraperThread } from '../metrics-scraper/scraper-thread';
import { PeerExchange, type PeerSettings } from '../peers/peer-exchange';
import type { CustomScorer } from '../scheduling/interface/custom-scorer';
import { PluginFaults, shownFault } from '../scheduling/plugin-faults';
import { PluginMeters } from '../scheduling/plugin-meters';
import type { Scheduler } from '../scheduling/scheduler';
import { healthService } from '../server/health-service';
import { HealthState } from '../server/health-state';
import { StreamMetering } from '../server/stream-metering';
import { type Page, TextServer } from '../server/text-server';
import { tlsPaths } from '../server/tls-material';
import { WatchedFiles } from '../server/watched-file';
import { decisionPage, decisionsPage, endpointsPage, peersPage } from '../telemetry/debug-pages';
import { DecisionLog } from '../telemetry/decision-log';
import { writeDiscoveryMetrics } from '../telemetry/discovery-metrics';
import { ErrorLog } from '../telemetry/error-log';
import type { Exposition } from '../telemetry/exposition';
import { type Logger, logProblems } from '../telemetry/log';
import { METRICS_CONTENT_TYPE, type MetricsSources, metricsPage } from '../telemetry/metrics-page';
import { writePeerMetrics } from '../telemetry/peer-metrics';
import { writePluginMeters, writePluginMetrics } from '../telemetry/plugin-metrics';
import { writeHttp2Metrics, writeProcessMetrics } from '../telemetry/process-metrics';
import { RequestMetrics } from '../telemetry/request-metrics';
import { SchedulerMetrics } from '../telemetry/scheduler-metrics';
import { limitsPage } from '../tokens/limits-page';
import { ClientsAndBudgets } from './clients-and-budgets';
import { Discoveries } from './discoveries';
import { limitsFor, openPort } from './listeners';
import { type LoadedConfig, type LoadResult, loadConfig } from './load-config';
import { loadPlugins } from './load-plugins';
import { peerSettings } from './peer-settings';
import { Queueing } from './queueing';
import { modelResolver, type ServedPool, servedPool } from './served-pools';
import type { ProgramSettings } from './settings';
import { grpcTls, metricsTls } from './tls';

/** What the program has of the world outside of its settings. */
export interface ProgramHost {
  readonly log: Logger;
  readonly version: string;
  /** What the scraper's thread runs, as text. */
  readonly scraperProgram: string;
}

/** Proxies learn that the picker is not ready within a few seconds; until then their requests are still taken. */
const LAME_DUCK_MS = 3_000;

const SCRAPE_MESSAGES: Readonly<Record<ScrapeEvent['kind'], string>> = {
  failing: 'an endpoint does not report its metrics',
  incomplete: 'an endpoint reports only some metrics',
  recovered: 'an endpoint reports its metrics again',
  'gpu-failing': 'how busy the GPUs of an endpoint are is not known',
  'gpu-recovered': 'how busy the GPUs of an endpoint are is known again',
};

/** The endpoint picker, put together: everything that listens, watches or ends. */
export class PickerProgram {
  private readonly clock = monotonicClock;
  private readonly random = unpredictableRandom();
  private readonly store = new EndpointStore();
  private readonly pooled = new PooledEndpoints(this.store);
  private readonly pools = new Map<string, ServedPool>();
  private readonly rewrites = new ModelRewrites(this.random);
  private readonly objectives = new Objectives();
  private readonly health = new HealthState();
  private readonly requests = new RequestMetrics();
  private readonly scheduling = new SchedulerMetrics();
  private readonly decisions = new DecisionLog();
  private readonly metering = new StreamMetering();
  private readonly clients: ClientsAndBudgets;
  private readonly queueing: Queueing;
  private readonly errors: ErrorLog;
  private readonly onError = (error: unknown): void => this.errors.add(error);
  private readonly meters = new PluginMeters();
  private prefixes: Scheduler['prefixes'] = new Map();
  private readonly faults = new PluginFaults((plugin, kind, detail) =>
    this.errors.add(new Error(`scorer '${plugin}' misbehaves: ${kind} (${shownFault(detail)})`, { cause: detail })),
  );
  private readonly closers: (() => void | Promise<void>)[] = [];
  private grpc: Http2Server | undefined;
  private director: PickerDirector | undefined;
  private discoveries: Discoveries | undefined;
  private peers: PeerExchange | undefined;
  private dataLayerKey = '';
  private custom: readonly CustomScorer[] = [];

  public constructor(
    private readonly settings: ProgramSettings,
    private readonly host: ProgramHost,
  ) {
    this.errors = new ErrorLog(host.log, this.clock);
    this.clients = new ClientsAndBudgets(host.log, this.clock);
    this.queueing = new Queueing({
      inner: this.clients.admission,
      store: this.store,
      pooled: this.pooled,
      clock: this.clock,
      log: host.log,
      onError: this.onError,
    });
    this.closers.push(
      () => this.clients.stop(),
      () => this.queueing.stop(),
    );
  }

  /** Starts everything. @returns every reason why it cannot; nothing is left open then */
  public async start(): Promise<readonly Problem[]> {
    const { settings } = this;
    const problems: Problem[] = [];
    this.custom = loadPlugins(settings.pluginFile, problems);
    const result = this.load();
    problems.push(...result.problems);
    const peering = peerSettings(settings.peers, problems);
    const tls = await grpcTls(settings.tls, problems);
    const pageTls = metricsTls(settings.metricsTls, problems);
    const { loaded } = result;
    if (loaded !== undefined && problems.length === 0) problems.push(...this.clients.use(loaded.policy));
    if (loaded === undefined || problems.length > 0) {
      await this.close();
      return problems;
    }
    this.queueing.use(loaded.queues);
    this.tell(result);

    this.dataLayerKey = loaded.dataLayerKey;
    for (const plan of loaded.pools) this.pools.set(plan.name, servedPool(plan, this.pooled.addPool()));
    if (peering !== undefined) this.peers = this.makePeers(peering, loaded);
    const { peers } = this;
    this.prefixes = loaded.scheduler.prefixes;
    const director = this.makeDirector(loaded);
    const limits = limitsFor(settings.maxBodyBytes);
    const methods = this.methods(director);
    const grpc = new Http2Server({ methods, limits, onError: this.onError, ...(tls === undefined ? {} : { tls }) });
    const health = new Http2Server({ methods: healthService(this.health), onError: this.onError });
    const metrics = new TextServer(this.metricsPages(grpc), this.onError, pageTls);
    const debug = settings.debug === undefined ? undefined : new TextServer(this.debugPages(), this.onError);
    this.closers.push(
      () => health.close(),
      () => metrics.close(),
      () => debug?.close(),
    );
    const { ports, bindAddress } = settings;
    const opened = await Promise.all([
      openPort((port, host) => grpc.listen(port, host), 'grpc-port', ports.grpc, bindAddress),
      openPort((port, host) => health.listen(port, host), 'grpc-health-port', ports.health, bindAddress),
      openPort((port, host) => metrics.listen(port, host), 'metrics-port', ports.metrics, bindAddress),
      debug && openPort((port, host) => debug.listen(port, host), 'debug-address', settings.debug!.port, settings.debug!.host),
      peers && openPort((port, host) => peers.server.listen(port, host), 'peer-port', settings.peers!.port, bindAddress),
    ]);
    if (settings.debug?.isDefault === true && opened[3] !== undefined) {
      this.host.log.warn(`no debug pages: ${opened[3].what}`);
      opened[3] = undefined;
    }
    problems.push(...opened.filter((problem) => problem !== undefined));
    if (problems.length === 0) problems.push(...(await this.findEndpoints(loaded)));
    if (problems.length > 0) {
      await Promise.all([grpc.close(), this.close()]);
      return problems;
    }
    this.director = director;
    this.grpc = grpc;
    peers?.start();
    this.watchFiles(grpc);
    this.host.log.info(
      {
        grpcPort: grpc.address().port,
        healthPort: health.address().port,
        metricsPort: metrics.port,
        debugPort: debug?.port,
        peerPort: peers?.server.port,
        tls: tls !== undefined,
        pools: [...this.pools.keys()],
        namespace: settings.poolNamespace,
        endpoints: this.store.snapshot.ready.length,
        version: this.host.version,
      },
      'endpoint picker is serving',
    );
    return [];
  }

  /** Not ready at once; running requests may finish, for at most the drain timeout. */
  public async drain(): Promise<void> {
    const { grpc, settings, host } = this;
    this.health.draining();
    if (grpc !== undefined) {
      host.log.info({ streams: grpc.counters.streamsOpen, timeoutMs: settings.drainTimeoutMs }, 'draining');
      const duckMs = grpc.counters.connections === 0 ? 0 : Math.min(LAME_DUCK_MS, settings.drainTimeoutMs / 4);
      await new Promise((resolve) => setTimeout(resolve, duckMs));
      this.queueing.drain();
      await grpc.drain(settings.drainTimeoutMs - duckMs);
    }
    await this.close();
    host.log.info('stopped');
  }

  private async close(): Promise<void> {
    await Promise.all(this.closers.map((close) => close()));
  }

  private load(): LoadResult {
    const { store: source, clock, random, custom, faults, meters } = this;
    return loadConfig(this.settings, { source, clock, random, custom, faults, meters });
  }

  private tell({ warnings, notices }: LoadResult): void {
    for (const { what, fix, where } of warnings) this.host.log.warn({ where }, `${what}: ${fix}`);
    for (const notice of notices) this.host.log.info(notice);
  }

  private makePeers(settings: PeerSettings, { scheduler }: LoadedConfig): PeerExchange {
    const { store, clock, random } = this;
    const peers = new PeerExchange(settings, { store, log: this.host.log, clock, random });
    peers.use(scheduler);
    this.closers.push(() => peers.stop());
    return peers;
  }

  private makeDirector(loaded: LoadedConfig): PickerDirector {
    return new PickerDirector({
      scheduler: loaded.scheduler,
      models: this.modelsOf(loaded.policy),
      admission: this.queueing.admission,
      requests: this.requests,
      scheduling: this.scheduling,
      decisions: this.decisions,
      clock: this.clock,
      onError: this.onError,
      ignoreSubset: this.settings.ignoreSubset,
      explainsRequests: this.settings.explainsRequests,
    });
  }

  private modelsOf(policy: LoadedConfig['policy']): ModelResolver {
    const objectives = policy === undefined && this.settings.trustsHeaders ? this.objectives : undefined;
    return modelResolver(policy, this.pools, this.rewrites, this.random, this.clients.admission, objectives);
  }

  private methods(director: PickerDirector): GrpcMethod[] {
    const { settings, metering } = this;
    let method = externalProcessor({
      director,
      maxBodyBytes: settings.maxBodyBytes,
      onError: this.onError,
      answerMetadata: (decision, outcome) => director.answerMetadata(decision, outcome),
      keepsMetadata: () => this.clients.readsMetadata,
      onRefused: (request, refusal) => director.refusedUnasked(request, refusal),
    });
    if (settings.maxMessageBytes !== undefined) method = { ...method, maxMessageBytes: settings.maxMessageBytes };
    if (settings.streamMetrics) method = metering.meter(method);
    return settings.healthOnGrpcPort ? [method, ...healthService(this.health)] : [method];
  }

  private metricsPages(grpc: Http2Server): Map<string, Page> {
    const sources: MetricsSources = {
      pools: [...this.pools.values()],
      version: this.host.version,
      requests: this.requests,
      scheduler: this.scheduling,
      others: [
        (out) => writeHttp2Metrics(out, grpc.counters),
        (out) => writeDiscoveryMetrics(out, this.discoveries?.statuses() ?? []),
        ...(this.settings.streamMetrics ? [(out: Exposition) => this.metering.write(out)] : []),
        (out) => this.clients.budgets.metrics.write(out),
        (out) => this.requests.pools.write(out, this.clock.nowMs()),
        (out) => this.queueing.write(out),
        (out) => writePluginMeters(out, this.meters, this.prefixes),
        (out) => writePluginMetrics(out, this.faults),
        (out) => this.peers && writePeerMetrics(out, this.peers),
        writeProcessMetrics,
      ],
    };
    return new Map([['/metrics', { contentType: METRICS_CONTENT_TYPE, pieces: () => metricsPage(sources) }]]);
  }

  private debugPages(): Map<string, Page> {
    const contentType = 'application/json';
    const { peers } = this;
    return new Map<string, Page>([
      ['/debug/endpoints', { contentType, pieces: () => [endpointsPage(this.store, this.clock)] }],
      ['/debug/limits', { contentType, pieces: () => limitsPage(this.clients.budgets, this.clients.admission.store) }],
      ['/debug/flow-control', { contentType, pieces: () => [this.queueing.page()] }],
      ['/debug/decisions', { contentType, pieces: () => [decisionsPage(this.decisions, this.clock)] }],
      ['/debug/decisions/', { contentType, pieces: (_query, id) => onePiece(decisionPage(this.decisions, id, this.clock)) }],
      ...(peers === undefined
        ? []
        : ([['/debug/peers', { contentType, pieces: () => [peersPage(peers, this.clock)] }]] as const)),
    ]);
  }

  private async findEndpoints({ pools, policy, scraping }: LoadedConfig): Promise<readonly Problem[]> {
    const { clock, random, rewrites } = this;
    const wanted = pools.map(({ name, discovery }) => ({ discovery, endpoints: this.pools.get(name)!.endpoints }));
    const llmd = policy === undefined ? { rewrites, objectives: this.objectives } : undefined;
    const discoveries = await Discoveries.open(wanted, { log: this.host.log, clock, random }, llmd);
    if ('problem' in discoveries) return [discoveries.problem];
    this.discoveries = discoveries;
    this.closers.push(() => discoveries.stop());
    const problems = discoveries.start(() => {
      this.health.synced();
      this.host.log.info({ endpoints: this.store.snapshot.ready.length }, 'the endpoints are known');
    });
    if (problems.length > 0) return problems;
    if (scraping === undefined) return [];
    const thread = new ScraperThread(this.host.scraperProgram, scraping.options, {
      onEvent: (event) => this.tellOfScrape(event),
      onDeath: (reason, restartMs) => this.host.log.error({ reason, restartMs }, 'the scraper died and is started again'),
    });
    new MetricsScraper(thread, scraping.engines).follow(this.store);
    this.closers.push(() => thread.stop());
    return [];
  }

  private tellOfScrape({ kind, slot, generation, reason }: ScrapeEvent): void {
    const { endpoints, table } = this.store.snapshot;
    const endpoint = endpoints[slot];
    if (endpoint === undefined || table.generation[slot] !== generation) return;
    const facts = { endpoint: endpoint.hostPort, name: endpoint.name, reason };
    const isWell = kind === 'recovered' || kind === 'gpu-recovered';
    // an engine that is loading its model, or on its way out, need not answer
    this.host.log[isWell ? 'info' : endpoint.ready ? 'warn' : 'debug'](facts, SCRAPE_MESSAGES[kind]);
  }

  private watchFiles(grpc: Http2Server): void {
    const { config, policyFile, tls } = this.settings;
    const configFiles = [...(config.kind === 'file' ? [config.path] : []), ...(policyFile === undefined ? [] : [policyFile])];
    if (configFiles.length > 0) {
      const watched = new WatchedFiles(configFiles, () => this.reload());
      this.closers.push(() => watched.close());
    }
    if (tls?.directory === undefined || !tls.reload) return;
    const watched = new WatchedFiles(tlsPaths(tls.directory), () => void this.reloadCertificate(grpc).catch(this.onError));
    this.closers.push(() => watched.close());
  }

  /** Takes over a changed configuration, or keeps the old one and says why. */
  private reload(): void {
    const { log } = this.host;
    const result = this.load();
    if (result.loaded === undefined) {
      logProblems(log, 'the changed configuration is broken, the old one stays', result.problems);
      return;
    }
    if (result.loaded.dataLayerKey !== this.dataLayerKey) {
      log.error('the changed configuration finds or watches endpoints in another way, which needs a restart: the old one stays');
      return;
    }
    const problems = this.clients.use(result.loaded.policy);
    if (problems.length > 0) {
      logProblems(log, 'the changed configuration cannot be followed, the old one stays', problems);
      return;
    }
    this.tell(result);
    const { scheduler, policy } = result.loaded;
    this.prefixes = scheduler.prefixes;
    this.director!.use(scheduler, this.modelsOf(policy));
    this.peers?.use(scheduler);
    this.queueing.use(result.loaded.queues);
    log.info('the changed configuration is in force');
  }

  private async reloadCertificate(grpc: Http2Server): Promise<void> {
    const problems: Problem[] = [];
    const tls = await grpcTls(this.settings.tls, problems);
    if (tls === undefined) {
      logProblems(this.host.log, 'the changed certificate is broken, the old one stays', problems);
      return;
    }
    grpc.updateTls(tls.key, tls.cert);
    this.host.log.info('the changed certificate is in force');
  }
}

function onePiece(page: string | undefined): string[] | undefined {
  return page === undefined ? undefined : [page];
}
