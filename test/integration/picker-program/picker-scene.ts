import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePickerFiles } from '../../components/picker-files';
import { ExtProcClient } from './ext-proc-client';
import { buildPicker, metricsEngine } from './start-picker';

/** What each test of the picker's program has of its own: files, clients, engines. */
export class PickerScene {
  public folder = '';
  /** Path of the picker's configuration; its endpoints are in `endpoints.yaml` beside it. */
  public config = '';
  private readonly clients: ExtProcClient[] = [];
  private readonly servers: Pick<Server, 'close'>[] = [];

  public set(): void {
    this.folder = mkdtempSync(join(tmpdir(), 'picker-'));
    this.config = writePickerFiles(this.folder, [18_001]);
  }

  public clear(): void {
    for (const client of this.clients.splice(0)) client.destroy();
    for (const server of this.servers.splice(0)) server.close();
    rmSync(this.folder, { recursive: true });
  }

  public connect(port: number, scheme = 'http'): ExtProcClient {
    const client = new ExtProcClient(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
    this.clients.push(client);
    return client;
  }

  /** An engine as far as a scraper sees it. @returns its port */
  public async engine(waiting: () => number): Promise<number> {
    const { port, server } = await metricsEngine(waiting);
    this.closeLater(server);
    return port;
  }

  public closeLater(server: Pick<Server, 'close'>): void {
    this.servers.push(server);
  }
}

/** A scene that is set before each test of the file and cleared behind it; the picker is built before the first. */
export function pickerScene(): PickerScene {
  const scene = new PickerScene();
  beforeAll(buildPicker, 60_000);
  beforeEach(() => scene.set());
  afterEach(() => scene.clear());
  return scene;
}
