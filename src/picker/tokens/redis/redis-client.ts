import type { Redis } from 'ioredis';
import type { RedisStore as RedisSettings } from '../../../picker-config/picker-policy';
import { readText } from '../../server/watched-file';
import type { Script } from './scripts';

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_MS = 2_000;
/** The library waits this long for the end of a connection even if it has ended before, and the process with it. */
const DISCONNECT_TIMEOUT_MS = 100;

/** One connection, kept up as long as the picker runs. Questions are refused at once while there is none. */
export class RedisClient {
  private readonly redis: Redis;
  private isGathering = false;

  /** @param onError told of every failure to connect, in words that name no secret */
  public constructor(
    private readonly settings: RedisSettings,
    onError: (message: string) => void,
  ) {
    const at = settings.address.lastIndexOf(':');
    const host = settings.address.slice(0, at).replace(/^\[|\]$/g, '');
    const password = this.password(onError);
    // loaded when it is needed: without a store it would cost every start, and the scraper's thread too, time and memory
    const ioredis = require('ioredis') as typeof import('ioredis');
    this.redis = new ioredis.Redis({
      host,
      port: Number(settings.address.slice(at + 1)),
      db: settings.database,
      ...(settings.tls ? { tls: { servername: host, ...this.tlsFiles(onError) } } : {}),
      ...(settings.username === undefined ? {} : { username: settings.username }),
      ...(password === undefined ? {} : { password }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      // a question that waits for a connection, or is asked again, would be answered too late
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: null,
      // in a failover the old primary turns read-only before its name leads to the new one
      reconnectOnError: (error) => error.message.includes('READONLY'),
      retryStrategy: (attempt) => {
        const changed = this.password(onError);
        if (changed !== undefined) this.redis.options.password = changed;
        // a certificate that was renewed is shown from the next connection on
        if (settings.tls) this.redis.options.tls = { servername: host, ...this.tlsFiles(onError) };
        return Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(attempt, 6));
      },
    });
    this.redis.on('error', (error: Error) => onError(error.message));
  }

  public get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /** Runs a script by its name, and sends it where the store has not seen it. All of one turn of the event loop go out in one piece. */
  public async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.gather();
    try {
      return await this.redis.evalsha(script.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.redis.eval(script.lua, keys.length, ...keys, ...args);
    }
  }

  /** Whole hashes, in the order of their keys. */
  public hashes(keys: readonly string[]): Promise<Record<string, string>[]> {
    this.gather();
    return Promise.all(keys.map((key) => this.redis.hgetall(key)));
  }

  private gather(): void {
    if (this.isGathering) return;
    this.isGathering = true;
    const { stream } = this.redis;
    stream.cork();
    setImmediate(() => {
      this.isGathering = false;
      stream.uncork();
    });
  }

  public close(): void {
    this.redis.disconnect();
  }

  private tlsFiles(onError: (message: string) => void): { ca?: string; cert?: string; key?: string } {
    const { caFile, certFile, keyFile } = this.settings;
    const files: { ca?: string; cert?: string; key?: string } = {};
    for (const [part, file] of Object.entries({ ca: caFile, cert: certFile, key: keyFile })) {
      if (file === undefined) continue;
      const read = readText(file);
      if ('text' in read) files[part as keyof typeof files] = read.text;
      else onError(`the file ${file} cannot be read: ${read.error}`);
    }
    return files;
  }

  private password(onError: (message: string) => void): string | undefined {
    if (this.settings.passwordFile === undefined) return undefined;
    const file = readText(this.settings.passwordFile);
    if ('text' in file) return file.text.trim();
    onError(`the password file cannot be read: ${file.error}`);
    return undefined;
  }
}
