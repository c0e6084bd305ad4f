import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PICKER_RUNTIME_VARIABLES } from '../../../src/picker-config/runtime';
import { pickerFlags, writePickerFiles } from '../../components/picker-files';
import { freePorts, type RunningProcess, startProcess } from '../../components/process';
import { components, findComponent } from '../../components/resolver';
import { pinned, SERVER_CORE } from './pinning';
import { benchProgram } from './programs';

/** A server to be measured. */
export interface Subject {
  readonly name: string;
  /** Started on the server's core with these endpoints; ready when it accepts. */
  start(ports: readonly number[], folder: string): Promise<StartedSubject>;
}

export interface StartedSubject {
  readonly process: RunningProcess;
  readonly port: number;
}

const pickerBundle = join(__dirname, '..', '..', 'dist', 'picker', 'main.js');

/** The Node of the image, where it is at hand. */
const node24 = findComponent(components.node24);
if ('missing' in node24)
  process.stderr.write(`the picker runs on ${process.version}, not on its image's Node: ${node24.missing}\n`);

/** This project's picker, as it is shipped. */
export const picker: Subject = {
  name: 'picker',
  start: (ports, folder) => {
    if (!existsSync(pickerBundle)) throw new Error('dist/picker/main.js is missing: run `npm run build` first');
    return startPicker(
      'path' in node24 ? node24.path : process.execPath,
      [pickerBundle],
      PICKER_RUNTIME_VARIABLES,
      ports,
      folder,
    );
  },
};

/** The reference, held to one core as it is here. */
function reference(program: string): Subject {
  return { name: 'reference', start: (ports, folder) => startPicker(program, [], { GOMAXPROCS: '1' }, ports, folder) };
}

/** Decides nothing: the least that `node:http2` needs for the same bytes. */
const echo: Subject = {
  name: 'node:http2 echo',
  start: async () => {
    const [program, args] = pinned(SERVER_CORE, process.execPath, [benchProgram('echo-server')]);
    const running = await startProcess(program, { args, ready: /listening on (\d+)/ });
    return { process: running, port: Number(running.readyMatch[1]) };
  },
};

/** What the picker is compared with: the reference where it is at hand, else the echo. */
export function rival(): Subject {
  const found = findComponent(components.epp);
  if ('path' in found) return reference(found.path);
  process.stderr.write(`compared with an echo on node:http2 only: ${found.missing}\n`);
  return echo;
}

async function startPicker(
  command: string,
  firstArgs: readonly string[],
  env: NodeJS.ProcessEnv,
  endpointPorts: readonly number[],
  folder: string,
): Promise<StartedSubject> {
  const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
  const flags = pickerFlags(writePickerFiles(folder, endpointPorts), { grpc, health, metrics });
  const [program, args] = pinned(SERVER_CORE, command, [...firstArgs, ...flags]);
  return { process: await startProcess(program, { args, env, ready: { port: grpc } }), port: grpc };
}
