import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from './bundle';
import { pickerFlags, writeEndpoints, writePickerFiles } from './picker-files';
import { freePorts, type RunningProcess, startProcess } from './process';

export interface PickerProcess extends RunningProcess {
  readonly grpcPort: number;
  readonly metricsPort: number;
  /** Rewrites the endpoints file, which the picker watches. */
  setEndpoints(ports: readonly number[]): void;
}

/** This project's picker as a process of its own, or another that understands the same flags and files. */
export async function startPicker(enginePorts: readonly number[], other?: string): Promise<PickerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'picker-'));
  const [grpcPort, health, metricsPort] = (await freePorts(3)) as [number, number, number];
  const flags = pickerFlags(writePickerFiles(folder, enginePorts), { grpc: grpcPort, health, metrics: metricsPort });
  const [program, args] = other === undefined ? [process.execPath, [bundled('picker/main.ts'), ...flags]] : [other, flags];
  const running = await startProcess(program, { args, ready: { port: grpcPort } });
  return { ...running, grpcPort, metricsPort, setEndpoints: (ports) => writeEndpoints(join(folder, 'endpoints.yaml'), ports) };
}
