import { createServer, type Server } from 'node:net';
import { METRICS_CONTENT_TYPE } from '../../../src/simulation/engine/http/metrics-page';
import { vllmPage } from '../../unit/picker/metrics-scraper/support/pages';

/** Address of a pod of its own, on loopback. */
export function addressOf(index: number): string {
  return `127.2.${1 + (index >> 7)}.${1 + (index & 127)}`;
}

/** Idle engines, as far as a scraper sees them: one address each, the same port, a page of the size that vLLM serves. */
export class ManyEngines {
  private readonly servers: Server[] = [];
  private readonly answer: Buffer;
  public port = 0;

  private constructor() {
    const page = vllmPage({ waiting: 0, running: 0, kv: 0.1, fillerLines: 250 });
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${METRICS_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(page)}\r\n\r\n`;
    this.answer = Buffer.from(head + page);
  }

  public static async start(count: number): Promise<ManyEngines> {
    const engines = new ManyEngines();
    for (let index = 0; index < count; index++) await engines.listen(addressOf(index));
    return engines;
  }

  public async stop(): Promise<void> {
    for (const server of this.servers) server.close();
  }

  /** Requests come one at a time: whatever is read is one. */
  private async listen(address: string): Promise<void> {
    const server = createServer((socket) => {
      socket.on('data', () => socket.write(this.answer));
      socket.on('error', () => socket.destroy());
      socket.unref();
    });
    this.servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, address, resolve);
    });
    this.port = (server.address() as { port: number }).port;
  }
}
