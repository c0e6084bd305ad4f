import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { FileDiscovery, type FileDiscoveryOptions } from '../../../../src/picker/discovery/file-discovery';
import { ManualClock } from '../../../../src/shared/clock';
import { until } from '../metrics-scraper/support/engine-server';

const entry = (name: string, address: string, port = 8000) => `- {name: ${name}, address: "${address}", port: ${port}}\n`;

describe('discovery by a file', () => {
  let folder: string;
  let path: string;
  let store: EndpointStore;
  let discovery: FileDiscovery | undefined;
  let said: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'discovery-'));
    path = join(folder, 'endpoints.yaml');
    store = new EndpointStore();
    said = [];
  });

  afterEach(() => {
    discovery?.stop();
    rmSync(folder, { recursive: true });
  });

  function start(options: Partial<FileDiscoveryOptions> = {}) {
    const say = (level: string) => (_: unknown, message: string) => said.push(`${level}: ${message}`);
    const log = { info: say('info'), warn: say('warn'), error: say('error') } as unknown as ConstructorParameters<
      typeof FileDiscovery
    >[2];
    discovery = new FileDiscovery(
      { path, watch: true, watchIntervalMs: 10, resolveIntervalMs: 10, ...options },
      store,
      log,
      new ManualClock(),
    );
    return discovery.start(() => {});
  }

  const write = (...entries: string[]) => writeFileSync(path, `endpoints:\n${entries.join('')}`);
  const known = () => [...store.snapshot.byHostPort.keys()].sort();

  test('endpoints are in the store when start returns', () => {
    write(entry('a', '10.0.0.1'), entry('b', 'fd00::1', 80));
    expect(start()).toEqual([]);
    expect(known()).toEqual(['10.0.0.1:8000', '[fd00::1]:80']);
    expect(store.snapshot.ready).toHaveLength(2);
  });

  test('a change is followed, and endpoints that stay keep their slot', async () => {
    write(entry('a', '10.0.0.1'), entry('b', '10.0.0.2'));
    start();
    const slot = store.snapshot.byHostPort.get('10.0.0.2:8000');
    write(entry('b', '10.0.0.2'), entry('c', '10.0.0.3'));
    await until(() => known().includes('10.0.0.3:8000'), 'the change');
    expect(known()).toEqual(['10.0.0.2:8000', '10.0.0.3:8000']);
    expect(store.snapshot.byHostPort.get('10.0.0.2:8000')).toBe(slot);
  });

  test('a file that is not to be watched is read once', async () => {
    write(entry('a', '10.0.0.1'));
    start({ watch: false });
    write(entry('b', '10.0.0.2'));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(known()).toEqual(['10.0.0.1:8000']);
  });

  test('a broken file keeps the old endpoints and says why and where', async () => {
    write(entry('a', '10.0.0.1'));
    start();
    writeFileSync(path, 'endpoints:\n- name: a\n  adress: 10.0.0.9\n');
    await until(() => said.length >= 3, 'the complaints');
    expect(known()).toEqual(['10.0.0.1:8000']);
    expect(said[0]).toMatch(
      /^error: the changed endpoints file is broken, the old endpoints stay: AIG502 .*'endpoints\[0\].adress'.*did you mean 'address'/,
    );
    expect(said[0]).toContain(`${path}:3:3`);
    write(entry('b', '10.0.0.2'));
    await until(() => known().includes('10.0.0.2:8000'), 'the repair');
  });

  test('a file that disappears keeps the old endpoints', async () => {
    write(entry('a', '10.0.0.1'));
    start();
    rmSync(path);
    await until(() => said.length === 1, 'the complaint');
    expect(said[0]).toMatch(/AIG530 the endpoints file cannot be read: ENOENT/);
    expect(known()).toEqual(['10.0.0.1:8000']);
  });

  test('a mounted ConfigMap, whose folder is swapped by a symbolic link', async () => {
    for (const [version, address] of [
      ['1', '10.0.0.1'],
      ['2', '10.0.0.2'],
    ] as const) {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, 'endpoints.yaml'), `endpoints:\n${entry('a', address)}`);
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/endpoints.yaml', path);
    start();
    expect(known()).toEqual(['10.0.0.1:8000']);
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    await until(() => known()[0] === '10.0.0.2:8000', 'the change');
  });

  test('a file that is broken at the start is a problem, and so is one that is not there', () => {
    expect(start()).toEqual([expect.objectContaining({ code: 'AIG530', where: path })]);
    writeFileSync(path, 'endpoints: 7');
    expect(start()).toEqual([expect.objectContaining({ code: 'AIG503', where: `${path}:1:12` })]);
  });

  test('a host name stands for an endpoint at each of its addresses, and follows them', async () => {
    let addresses = ['10.0.0.2', '10.0.0.1'];
    write(entry('pool', 'engines.example.com'), entry('fixed', '10.0.0.9'));
    start({ resolve: async () => addresses });
    expect(known()).toEqual(['10.0.0.9:8000']);
    await until(() => known().length === 3, 'the addresses');
    expect(known()).toEqual(['10.0.0.1:8000', '10.0.0.2:8000', '10.0.0.9:8000']);
    const { version } = store.snapshot;
    addresses = ['10.0.0.1', '10.0.0.2'];
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(store.snapshot.version).toBe(version);
    addresses = ['10.0.0.2', 'fd00:0::3'];
    await until(() => known().includes('[fd00::3]:8000'), 'the change');
    expect(known()).toEqual(['10.0.0.2:8000', '10.0.0.9:8000', '[fd00::3]:8000']);
  });

  test('a name that cannot be resolved keeps its addresses, and is told once', async () => {
    let isBroken = false;
    let calls = 0;
    write(entry('a', 'engine.example.com'));
    start({
      resolve: async () => {
        calls++;
        if (isBroken) throw new Error('ENOTFOUND');
        return ['10.0.0.1'];
      },
    });
    await until(() => known().length === 1, 'the address');
    isBroken = true;
    const before = calls;
    await until(() => calls > before + 3, 'several attempts');
    expect(said).toEqual(['warn: a host name cannot be resolved, its last addresses stay']);
    expect(known()).toEqual(['10.0.0.1:8000']);
    isBroken = false;
    await until(() => said.length === 2, 'the recovery');
  });

  test('localhost, by the system resolver', async () => {
    write(entry('a', 'localhost'));
    start();
    await until(() => known().length > 0, 'the address');
    expect(known().every((hostPort) => ['127.0.0.1:8000', '[::1]:8000'].includes(hostPort))).toBe(true);
  });
});
