import type { Component } from './component';

/** Any Redis or Valkey from 7.0: only commands that both have are used. */
export const redisServer: Component = {
  name: 'redis-server',
  variable: 'REDIS_SERVER',
  program: 'redis-server',
  onPath: 'redis-server',
  source: 'the Debian package redis-server (7.0 or later)',
};
