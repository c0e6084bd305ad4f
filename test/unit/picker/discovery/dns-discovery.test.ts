import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { DnsDiscovery } from '../../../../src/picker/discovery/dns-discovery';
import { ManualClock } from '../../../../src/shared/clock';
import { until } from '../metrics-scraper/support/engine-server';

describe('discovery by a DNS name', () => {
  const store = () => new EndpointStore();
  let answer: readonly string[] | Error;
  let discovery: DnsDiscovery;
  let said: string[];
  let synced: number;

  function start(into: EndpointStore, ports = [8000]): void {
    said = [];
    synced = 0;
    const say = (level: string) => (_: unknown, message: string) => said.push(`${level}: ${message}`);
    const log = { info: say('info'), warn: say('warn') } as unknown as ConstructorParameters<typeof DnsDiscovery>[2];
    const resolve = async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    };
    discovery = new DnsDiscovery({ host: 'llama.ai.svc', ports, resolveIntervalMs: 5, resolve }, into, log, new ManualClock());
    expect(discovery.start(() => synced++)).toEqual([]);
  }

  afterEach(() => discovery.stop());

  const ready = ({ snapshot }: EndpointStore) => [...snapshot.byHostPort.keys()].sort();

  test('every address has an endpoint on every port', async () => {
    const endpoints = store();
    answer = ['10.0.0.2', '10.0.0.1', 'FD00::1'];
    start(endpoints, [8000, 8001]);
    await until(() => synced === 1, 'the first answer');
    expect(ready(endpoints)).toEqual(
      ['10.0.0.1', '10.0.0.2', '[fd00::1]'].flatMap((address) => [`${address}:8000`, `${address}:8001`]),
    );
    expect(discovery.statuses()).toMatchObject([{ source: 'dns llama.ai.svc', isSynced: true, isCurrent: true }]);
  });

  test('addresses are followed, and those that stay keep their slot', async () => {
    const endpoints = store();
    answer = ['10.0.0.1', '10.0.0.2'];
    start(endpoints);
    await until(() => synced === 1, 'the first answer');
    const slot = endpoints.snapshot.byHostPort.get('10.0.0.2:8000');
    answer = ['10.0.0.2', '10.0.0.3'];
    await until(() => endpoints.snapshot.byHostPort.has('10.0.0.3:8000'), 'the change');
    expect(ready(endpoints)).toEqual(['10.0.0.2:8000', '10.0.0.3:8000']);
    expect(endpoints.snapshot.byHostPort.get('10.0.0.2:8000')).toBe(slot);
    expect(synced).toBe(1);
  });

  test('a name that fails keeps its last addresses, and says that they are old', async () => {
    const endpoints = store();
    answer = ['10.0.0.1'];
    start(endpoints);
    await until(() => synced === 1, 'the first answer');
    answer = new Error('getaddrinfo EAI_AGAIN');
    await until(() => said.length > 0, 'the complaint');
    expect(ready(endpoints)).toEqual(['10.0.0.1:8000']);
    expect(discovery.statuses()).toMatchObject([{ isSynced: true, isCurrent: false, lastError: 'getaddrinfo EAI_AGAIN' }]);
    answer = ['10.0.0.1'];
    await until(() => said.length > 1, 'the recovery');
    expect(discovery.statuses()).toMatchObject([{ isCurrent: true, lastError: undefined, staleSeconds: 0 }]);
  });

  test('a Service without ready pods does not keep the picker waiting', async () => {
    const endpoints = store();
    answer = new Error('getaddrinfo ENOTFOUND llama.ai.svc');
    start(endpoints);
    await until(() => synced === 1, 'the first answer');
    expect([ready(endpoints), discovery.statuses()[0]!.isSynced]).toEqual([[], false]);
    answer = ['10.0.0.1'];
    await until(() => ready(endpoints).length > 0, 'the first pod');
    expect(synced).toBe(1);
  });
});
