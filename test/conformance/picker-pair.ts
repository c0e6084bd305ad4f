import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePickerFiles } from '../components/picker-files';
import { startPickerProgram } from '../components/picker-process';
import { eventually } from '../components/process';
import { destinationOf, ExtProcClient } from '../integration/picker-program/ext-proc-client';
import { buildPicker, fileModeFlags, metricsEngine, startPicker } from '../integration/picker-program/start-picker';

/** A picker as its clients see it. */
export interface PairMember {
  readonly client: ExtProcClient;
  metrics(): Promise<string>;
  /** Rewrites its endpoints file. */
  readonly folder: string;
}

/** This project's picker and the reference side by side, each with the files that the other has, in front of the same engines. */
export class PickerPair {
  private readonly servers: Server[] = [];
  private readonly folders: string[] = [];
  public ours!: PairMember;
  public theirs!: PairMember;
  public ports: number[] = [];

  /** @param edit changes the configuration of both @default it stays as it is */
  public async start(
    epp: string,
    engines: number,
    moreFlags: readonly string[] = [],
    edit: (config: string) => string = (config) => config,
  ): Promise<void> {
    buildPicker();
    const made = await Promise.all(Array.from({ length: engines }, (_, index) => metricsEngine(() => index + 1)));
    this.servers.push(...made.map(({ server }) => server));
    this.ports = made.map(({ port }) => port);
    const own = this.newFolder();
    const picker = await startPicker([...fileModeFlags(this.files(own, edit)), ...moreFlags]);
    this.ours = member(picker.grpcPort, picker.metricsPort, own);

    const other = this.newFolder();
    const reference = await startPickerProgram([epp], this.files(other, edit), moreFlags);
    this.theirs = member(reference.grpcPort, reference.metricsPort, other);
    for (const { client } of [this.ours, this.theirs]) {
      await eventually('a first decision', async () => {
        const stream = client.open();
        stream.chat('warm-up', 'hello');
        const destination = await destinationOf(stream);
        stream.end();
        return destination;
      });
    }
  }

  public stop(): void {
    for (const { client } of [this.ours, this.theirs]) client.destroy();
    for (const server of this.servers) server.close();
    for (const folder of this.folders) rmSync(folder, { recursive: true });
  }

  private files(folder: string, edit: (config: string) => string): string {
    const path = writePickerFiles(folder, this.ports);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
    return path;
  }

  private newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'pair-'));
    this.folders.push(folder);
    return folder;
  }
}

function member(grpcPort: number, metricsPort: number, folder: string): PairMember {
  return {
    client: new ExtProcClient(`http://127.0.0.1:${grpcPort}`),
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    folder,
  };
}
