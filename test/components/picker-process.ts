import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from './bundle';
import { pickerFlags, writeEndpoints, writePickerFiles } from './picker-files';
import { freePorts, type RunningProcess, startProcess } from './process';

export interface PickerProgram extends RunningProcess {
  readonly grpcPort: number;
  readonly metricsPort: number;
}

export interface PickerProcess extends PickerProgram {
  /** Rewrites the endpoints file, which the picker watches. */
  setEndpoints(ports: readonly number[]): void;
}

/** Any picker that understands the flags which both do. @param program its command line, without those flags */
export async function startPickerProgram(
  program: readonly [string, ...string[]],
  config: string,
  moreFlags: readonly string[] = [],
): Promise<PickerProgram> {
  const [grpcPort, health, metricsPort] = (await freePorts(3)) as [number, number, number];
  const [command, ...before] = program;
  const args = [...before, ...pickerFlags(config, { grpc: grpcPort, health, metrics: metricsPort }), ...moreFlags];
  return { ...(await startProcess(command, { args, ready: { port: grpcPort } })), grpcPort, metricsPort };
}

/** This project's picker as a process of its own, or another that understands the same flags and files. */
export async function startPicker(enginePorts: readonly number[], other?: string): Promise<PickerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'picker-'));
  const config = writePickerFiles(folder, enginePorts);
  const program = await startPickerProgram(other === undefined ? [process.execPath, bundled('picker/main.ts')] : [other], config);
  return { ...program, setEndpoints: (ports) => writeEndpoints(join(folder, 'endpoints.yaml'), ports) };
}
