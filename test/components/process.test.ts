import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually, freePort, freePorts, startProcess } from './process';

const node = process.execPath;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startProcess', () => {
  it('waits for the ready line and hands out what it matched', async () => {
    const child = await startProcess(node, {
      args: ['-e', 'setTimeout(() => console.log("listening on 4711"), 50); setInterval(() => {}, 1000)'],
      ready: /listening on (\d+)/,
    });
    expect(child.readyMatch[1]).toBe('4711');
    expect(isAlive(child.pid)).toBe(true);
    await child.stop();
    expect(isAlive(child.pid)).toBe(false);
  });

  it('waits for a port', async () => {
    const port = await freePort();
    const script = `setTimeout(() => require('node:net').createServer().listen(${port}, '127.0.0.1'), 100)`;
    const child = await startProcess(node, { args: ['-e', script], ready: { port } });
    expect(child.output()).toBe('');
    await child.stop();
  });

  it('rejects with the output of a program that ends before it is ready', async () => {
    const args = ['-e', 'console.error("no configuration"); process.exit(3)'];
    await expect(startProcess(node, { args, ready: /never/ })).rejects.toThrow(
      /ended with 3 before it was ready\nno configuration/,
    );
    await expect(startProcess(node, { args, ready: { port: await freePort() } })).rejects.toThrow(/ended with 3/);
  });

  it('rejects for a program that does not exist', async () => {
    await expect(startProcess('/no/such/program', { ready: /never/ })).rejects.toThrow(/before it was ready/);
  });

  it('kills a program that is not ready in time', async () => {
    const args = ['-e', 'console.log("pid=" + process.pid); setInterval(() => {}, 1000)'];
    const error = await startProcess(node, { args, ready: /never/, readyTimeoutMs: 500 }).catch((reason: Error) => reason);
    const pid = Number(/pid=(\d+)/.exec((error as Error).message)![1]);
    expect((error as Error).message).toContain('did not print /never/ within 500 ms');
    expect(isAlive(pid)).toBe(false);
  });

  it('forces a program that ignores the polite signal', async () => {
    const child = await startProcess(node, {
      args: ['-e', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'],
      ready: /up/,
    });
    await child.stop('SIGTERM', 100);
    await expect(child.exited).resolves.toBe('SIGKILL');
  });

  it('adds environment, and keeps stdout and stderr', async () => {
    const child = await startProcess(node, {
      args: ['-e', 'console.log(process.env.COLOUR); console.error("and red")'],
      env: { COLOUR: 'green' },
    });
    await expect(child.exited).resolves.toBe(0);
    expect(child.output()).toContain('green\n');
    expect(child.output()).toContain('and red\n');
  });

  const itOnLinux = process.platform === 'linux' ? it : it.skip;
  itOnLinux('ends with its parent, even when that is killed', async () => {
    const script = `
      const { startProcess } = require(${JSON.stringify(join(__dirname, 'process.ts'))});
      startProcess(process.execPath, { args: ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], ready: /up/ })
        .then((child) => { console.log('child ' + child.pid); setInterval(() => {}, 1000); });`;
    const outer = await startProcess(node, { args: ['-e', typescriptLoader + script], ready: /child (\d+)/ });
    const child = Number(outer.readyMatch[1]);
    expect(isAlive(child)).toBe(true);
    process.kill(outer.pid, 'SIGKILL');
    await eventually('the child is gone', () => !isAlive(child));
  });
});

/** Lets a plain node process require the helper: Node 20 does not read TypeScript by itself. */
const typescriptLoader = `
  const { transformSync } = require('@swc/core');
  require.extensions['.ts'] = (module, file) => module._compile(transformSync(require('fs').readFileSync(file, 'utf8'),
    { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }).code, file);`;

describe('free ports', () => {
  it('can be listened on, and are distinct', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).toBe(5);
    for (const port of [...ports, await freePort()]) {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('eventually', () => {
  it('returns the first truthy answer', async () => {
    let asked = 0;
    await expect(eventually('a third answer', () => ++asked === 3 && asked)).resolves.toBe(3);
  });

  it('says what was awaited and what came last', async () => {
    const never = () => {
      throw new Error('still closed');
    };
    await expect(eventually('an open door', never, 50)).rejects.toThrow('an open door: not within 50 ms; last: still closed');
  });
});
