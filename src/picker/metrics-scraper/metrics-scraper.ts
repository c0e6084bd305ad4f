import type { EndpointStore } from '../datastore/endpoint-store';
import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import { type EngineSelector, engineOf } from './engine-selector';
import type { ScraperHost, ScrapeTarget } from './scrape-protocol';

/** Keeps a scraper informed of a store's endpoints. Endpoints that are not ready are scraped too: they are known when they become so. */
export class MetricsScraper {
  public constructor(
    private readonly host: ScraperHost,
    private readonly engines: EngineSelector,
  ) {}

  /** From here on the scraper follows every change of the store. */
  public follow(store: EndpointStore): void {
    this.send(store.snapshot);
    store.onChange((snapshot) => this.send(snapshot));
  }

  public stop(): Promise<void> {
    return this.host.stop();
  }

  private send({ table, endpoints }: EndpointSnapshot): void {
    const targets = endpoints.flatMap((endpoint, slot): ScrapeTarget[] => {
      if (endpoint === undefined) return [];
      const { name: engine, metrics } = engineOf(endpoint.labels, this.engines);
      const { address, port, podName, namespace, nodeAddress } = endpoint;
      return [{ slot, generation: table.generation[slot]!, address, port, podName, namespace, nodeAddress, engine, metrics }];
    });
    this.host.update({ capacity: table.capacity, buffer: table.buffer, targets });
  }
}
