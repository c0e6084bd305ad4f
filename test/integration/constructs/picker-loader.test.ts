import { describeWith } from '../../components/describe-with';
import { startProcess } from '../../components/process';
import { mounted, TALKING_PROGRAM } from '../../unit/constructs/picker/loader';
import { noise } from '../../unit/constructs/picker/support';

describeWith(['node24'], 'the loader of a picker in ConfigMaps, on the Node of its image', ({ node24 }) => {
  it('runs the program as the main module of its own process, and leaves signals to it', async () => {
    const folders = mounted(`${TALKING_PROGRAM}//${noise(400_000)}`);
    expect(folders.partNames.length).toBeGreaterThan(1);
    const running = await startProcess(node24, {
      args: [folders.loader, '--v=1'],
      env: { PICKER_UNPACK_DIR: folders.unpackFolder },
      ready: /^(\{.*\})$/m,
    });
    expect(JSON.parse(running.readyMatch[1]!)).toMatchObject({ argv: ['--v=1'], isMain: true, pid: running.pid });
    await running.stop('SIGTERM');
    expect(await running.exited).toBe(7);
  });
});
