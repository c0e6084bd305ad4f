import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const NAME_ERROR = 3;

/** The cluster's DNS as far as a proxy asks it: A records (RFC 1035) of names that `lookup` knows, over UDP. */
export class ClusterDns {
  private constructor(
    private readonly socket: Socket,
    public readonly port: number,
  ) {}

  /** @param lookup addresses of a name in lower case; undefined when there is no such name */
  public static async start(lookup: (name: string) => readonly string[] | undefined): Promise<ClusterDns> {
    const socket = createSocket('udp4');
    socket.on('message', (query, from) => {
      const answer = answerTo(query, lookup);
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new ClusterDns(socket, (socket.address() as AddressInfo).port);
  }

  public stop(): void {
    this.socket.close();
  }
}

function answerTo(query: Buffer, lookup: (name: string) => readonly string[] | undefined): Buffer | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (query.length < end) return undefined;
  const addresses = lookup(labels.join('.').toLowerCase());
  const records = query.readUInt16BE(at + 1) === TYPE_A ? (addresses ?? []) : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // an answer, with authority, to a query that asked for recursion
  header.writeUInt16BE(0x8580 | (addresses === undefined ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const answers = records.map((address) => {
    // the name is that of the question; class IN; 1 s; four bytes
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 1, 0, 4, 0, 0, 0, 0]);
    for (const [index, part] of address.split('.').entries()) record[12 + index] = Number(part);
    return record;
  });
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...answers]);
}
