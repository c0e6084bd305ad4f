import { Redis } from 'ioredis';
import { serverArguments } from '../../../src/constructs/small-valkey';
import { describeWith } from '../../components/describe-with';
import { freePort, startProcess } from '../../components/process';
import { scratchFolder } from './behind-envoy';

describeWith(['redis-server'], 'the arguments of the small store', ({ 'redis-server': program }) => {
  test('ask for the password, keep what was counted over a restart, and throw no counter out', async () => {
    const { folder, remove } = scratchFolder();
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', ...serverArguments(folder, 'not-a-secret')];
    let server = await startProcess(program, { args, ready: { port } });
    const client = new Redis({ port, host: '127.0.0.1', password: 'not-a-secret' });
    const stranger = new Redis({ port, host: '127.0.0.1' });
    client.on('error', () => undefined);
    stranger.on('error', () => undefined);
    try {
      await expect(stranger.get('counter')).rejects.toThrow('NOAUTH');
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
      await client.hset('counter', 'c', 42);
      await server.stop('SIGTERM');
      server = await startProcess(program, { args, ready: { port } });
      expect(await client.hget('counter', 'c')).toBe('42');
    } finally {
      client.disconnect();
      stranger.disconnect();
      await server.stop('SIGTERM');
      remove();
    }
  });
});
