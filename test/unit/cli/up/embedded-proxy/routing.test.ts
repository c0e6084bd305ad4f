import type { PickerConnection } from '../../../../../src/cli/up/embedded-proxy/picker-connection';
import { findTarget, type ProxyRoute } from '../../../../../src/cli/up/embedded-proxy/routing';
import type { RouteMatch } from '../../../../../src/cli/up/plan/route-plans';

const picker = {} as PickerConnection;

const route = (match: Partial<RouteMatch>, ...names: [string, number][]): ProxyRoute => ({
  match: { pathType: 'PathPrefix', path: '/', headers: [], ...match },
  targets: names.map(([name, weight]) => ({ weight, picker, endpoints: [name] })),
});

const ROUTES: readonly ProxyRoute[] = [
  route({ pathType: 'Exact', path: '/v1/exact' }, ['exact', 1]),
  route({ path: '/v1', method: 'DELETE' }, ['method', 1]),
  route({ path: '/v1', headers: [{ name: 'x-class', value: 'small', isExpression: false }] }, ['header', 1]),
  route({ path: '/v1', headers: [{ name: 'x-class', value: 'l.*e', isExpression: true }] }, ['expression', 1]),
  route({ path: '/v1/' }, ['prefix', 1]),
  route({ pathType: 'RegularExpression', path: '/w[0-9]/.*' }, ['pattern', 1]),
  route({ path: '/split' }, ['a', 90], ['b', 10]),
];

const found = (path: string, headers: [string, string][] = [], random = 0, method = 'POST'): string | undefined =>
  findTarget(ROUTES, [[':method', method], [':path', path], ...headers], random)?.endpoints?.[0];

test.each([
  ['/v1/exact', 'exact'],
  ['/v1/exact?a=1', 'exact'],
  ['/v1/exact/below', 'prefix'],
  ['/v1', 'prefix'],
  ['/v1/models', 'prefix'],
  ['/v10', undefined],
  ['/w1/a', 'pattern'],
  ['/x/w1/a', undefined],
  ['/', undefined],
])('%s goes to %s', (path, name) => expect(found(path)).toBe(name));

test.each([
  [[['x-class', 'small']], 'header'],
  [[['x-class', 'large']], 'expression'],
  [[['x-class', 'larger']], 'prefix'],
] as [[string, string][], string][])('headers %j choose %s', (headers, name) => expect(found('/v1/chat', headers)).toBe(name));

test('a method chooses', () => expect(found('/v1/chat', [], 0, 'DELETE')).toBe('method'));

test.each([
  [0, 'a'],
  [0.89, 'a'],
  [0.91, 'b'],
  [0.999, 'b'],
])('of two weights, %d falls to %s', (random, name) => expect(found('/split', [], random)).toBe(name));
