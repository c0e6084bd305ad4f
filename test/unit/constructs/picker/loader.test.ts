import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../../../components/process';
import { type Mounted, mounted, TALKING_PROGRAM } from './loader';
import { noise } from './support';

const start = ({ loader, unpackFolder }: Mounted, ready?: RegExp) =>
  startProcess(process.execPath, { args: [loader, '--v=1', '--pool-name=a b'], env: { PICKER_UNPACK_DIR: unpackFolder }, ready });

describe('the loader of a picker in ConfigMaps', () => {
  it('runs the program as the main module of its own process, with the same flags', async () => {
    const folders = mounted(TALKING_PROGRAM);
    const running = await start(folders, /^(\{.*\})$/m);
    const seen = JSON.parse(running.readyMatch[1]!);
    await running.stop();
    expect(seen).toEqual({
      argv: ['--v=1', '--pool-name=a b'],
      isMain: true,
      file: join(folders.unpackFolder, 'main.js'),
      pid: running.pid,
    });
  });

  it('leaves signals to the program', async () => {
    const running = await start(mounted(TALKING_PROGRAM), /^(\{.*\})$/m);
    await running.stop('SIGTERM');
    expect(await running.exited).toBe(7);
    expect(running.output()).toContain('told to stop');
  });

  it('puts several parts together in their order', async () => {
    const program = `console.log('ran with ' + ${JSON.stringify(noise(400_000))}.length);`;
    const folders = mounted(program);
    expect(folders.partNames.length).toBeGreaterThan(1);
    const running = await start(folders);
    expect(await running.exited).toBe(0);
    expect(running.output()).toBe('ran with 400000\n');
  });

  it.each<[string, (folders: Mounted) => void, RegExp]>([
    [
      'one byte of a part is another',
      ({ bundleFolder, partNames }) => {
        const file = join(bundleFolder, partNames[1]!);
        const bytes = readFileSync(file);
        bytes[1_000]! ^= 1;
        writeFileSync(file, bytes);
      },
      /^AIG447 the picker was not started: its bundle has SHA-256 [0-9a-f]{64} and not [0-9a-f]{64}/,
    ],
    [
      'two parts are exchanged',
      ({ bundleFolder, partNames }) => {
        const [a, b] = [join(bundleFolder, partNames[0]!), join(bundleFolder, partNames[1]!)];
        const bytes = readFileSync(a);
        writeFileSync(a, readFileSync(b));
        writeFileSync(b, bytes);
      },
      /^AIG447 .* SHA-256 /,
    ],
    [
      'a part is missing',
      ({ bundleFolder, partNames }) => rmSync(join(bundleFolder, partNames[1]!)),
      /^AIG447 .*its bundle lacks part-01 \(ENOENT\); apply all of its ConfigMaps\n$/,
    ],
    [
      'the disk is full',
      ({ unpackFolder }) => symlinkSync('/dev/full', join(unpackFolder, 'main.js')),
      /^AIG447 .*it cannot be unpacked to \S+main\.js \(ENOSPC\); give that folder \d+ bytes that may be written\n$/,
    ],
  ])('starts nothing when %s', async (_, damage, message) => {
    const folders = mounted(`console.log('started');${noise(400_000).replace(/^/, '//')}`);
    damage(folders);
    const running = await start(folders);
    expect(await running.exited).toBe(1);
    expect(running.output()).toMatch(message);
    expect(running.output()).not.toContain('started\n');
  });
});
