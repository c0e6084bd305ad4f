import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A loopback port that leads to another: the address that a client knows, while what is behind it moves or is slow. */
export class Forwarder {
  /** What clients send arrives so much later. */
  public delayMs = 0;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  /** @param target port that new connections lead to */
  public constructor(public target: number) {
    this.server = createServer((client) => {
      const upstream = connect(this.target, '127.0.0.1');
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      }
      client.on('data', (bytes) => setTimeout(() => upstream.write(bytes), this.delayMs));
      upstream.on('data', (bytes) => client.write(bytes));
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
  }

  public get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  public listen(): Promise<void> {
    return new Promise((done) => this.server.listen(0, '127.0.0.1', done));
  }

  public close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
