import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Component } from './component';
import { planFor } from './describe-with';
import { cacheFolder, findComponent } from './resolver';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'components-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeProgram(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

function tool(extra: Partial<Component> = {}): Component {
  return { name: 'tool', version: '1.2.3', variable: 'TOOL', program: 'bin/tool', source: 'a shop sells it', ...extra };
}

const installs = (count: { calls: number }) => (into: string) => {
  count.calls += 1;
  writeProgram(join(into, 'bin/tool'));
};

describe('findComponent', () => {
  it('takes the environment variable before everything else', () => {
    const given = writeProgram(join(folder, 'elsewhere'));
    writeProgram(join(folder, 'cache/tool-1.2.3/bin/tool'));
    expect(findComponent(tool(), { TOOL: given, AIG_COMPONENTS: join(folder, 'cache') })).toEqual({ path: given });
  });

  it('does not fall back when the environment variable names no program', () => {
    writeProgram(join(folder, 'tool-1.2.3/bin/tool'));
    const found = findComponent(tool(), { TOOL: join(folder, 'nothing'), AIG_COMPONENTS: folder });
    expect(found).toEqual({ missing: expect.stringContaining('is no executable file') });
  });

  it('takes a program of PATH only where the component allows it', () => {
    const path = writeProgram(join(folder, 'path/tool'));
    const environment = { PATH: `/nowhere:${dirname(path)}`, AIG_COMPONENTS: folder };
    expect(findComponent(tool({ onPath: 'tool' }), environment)).toEqual({ path });
    expect(findComponent(tool(), environment)).toHaveProperty('missing');
  });

  it('finds what an earlier run installed, by exact version', () => {
    const cached = writeProgram(join(folder, 'tool-1.2.3/bin/tool'));
    expect(findComponent(tool(), { AIG_COMPONENTS: folder })).toEqual({ path: cached });
    expect(findComponent(tool({ version: '1.2.4' }), { AIG_COMPONENTS: folder })).toHaveProperty('missing');
  });

  const wanted: [title: string, environment: Record<string, string>, slowInstall: boolean, calls: number][] = [
    ['installs nothing unasked', {}, false, 0],
    ['installs with AIG_INSTALL=1', { AIG_INSTALL: '1' }, false, 1],
    ['installs with CI=true', { CI: 'true' }, false, 1],
    ['leaves slow installations out of CI', { CI: 'true' }, true, 0],
    ['installs slow ones with AIG_INSTALL=1', { AIG_INSTALL: '1' }, true, 1],
  ];
  it.each(wanted)('%s', (_title, environment, slowInstall, calls) => {
    const count = { calls: 0 };
    const component = tool({ install: installs(count), slowInstall });
    const found = findComponent(component, { ...environment, AIG_COMPONENTS: folder });
    expect(count.calls).toBe(calls);
    expect(Object.keys(found)).toEqual([calls ? 'path' : 'missing']);
    findComponent(component, { ...environment, AIG_COMPONENTS: folder });
    expect(count.calls).toBe(calls);
  });

  it('says what failed, and leaves no half installed folder behind', () => {
    const broken = tool({
      install: () => {
        throw new Error('the shop is closed');
      },
    });
    expect(findComponent(broken, { AIG_INSTALL: '1', AIG_COMPONENTS: folder })).toEqual({
      missing: 'tool could not be installed: the shop is closed',
    });
    const count = { calls: 0 };
    findComponent(tool({ install: installs(count) }), { AIG_INSTALL: '1', AIG_COMPONENTS: folder });
    expect(count.calls).toBe(1);
  });

  it('does not take a package without its program for an installed one', () => {
    const found = findComponent(tool({ install: () => undefined }), { AIG_INSTALL: '1', AIG_COMPONENTS: folder });
    expect(found).toEqual({ missing: expect.stringContaining('has no bin/tool') });
  });

  it('takes over the lock of a process that died long ago', () => {
    const lock = join(folder, 'tool-1.2.3.lock');
    mkdirSync(lock);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lock, longAgo, longAgo);
    const count = { calls: 0 };
    expect(findComponent(tool({ install: installs(count) }), { AIG_INSTALL: '1', AIG_COMPONENTS: folder })).toHaveProperty(
      'path',
    );
  });

  it('tells every way to get what is missing', () => {
    const found = findComponent(tool({ install: () => undefined }), { AIG_COMPONENTS: folder });
    const message = 'missing' in found ? found.missing : '';
    for (const part of ['tool 1.2.3', 'set TOOL', join(folder, 'tool-1.2.3/bin/tool'), 'AIG_INSTALL=1', 'a shop sells it']) {
      expect(message).toContain(part);
    }
  });

  it('caches inside the repository unless told otherwise', () => {
    expect(cacheFolder({})).toBe(join(__dirname, '..', '..', '.cache', 'components'));
    expect(cacheFolder({ AIG_COMPONENTS: '/somewhere' })).toBe('/somewhere');
  });
});

describe('planFor', () => {
  const find = (name: string) => (name === 'envoy' ? { path: '/bin/envoy' } : { missing: `no ${name}` });

  it('runs with all paths when nothing is missing', () => {
    expect(planFor(['envoy'], find, true)).toEqual({ kind: 'run', paths: { envoy: '/bin/envoy' } });
  });

  it('skips on a laptop and fails in CI, naming all that is missing', () => {
    const missing = ['no epp', 'no sim'];
    expect(planFor(['envoy', 'epp', 'sim'], find, false)).toEqual({ kind: 'skip', missing });
    expect(planFor(['envoy', 'epp', 'sim'], find, true)).toEqual({ kind: 'fail', missing });
  });
});
