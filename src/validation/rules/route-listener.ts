import type { Field, KubeObject } from '../object-index';
import { finding, named, type Rule, type RuleFinding } from './rule';
import { attachments, GATEWAY_API } from './support/routes';

const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  HTTPRoute: ['HTTP', 'HTTPS'],
  GRPCRoute: ['HTTP', 'HTTPS'],
  TLSRoute: ['TLS'],
  TCPRoute: ['TCP', 'TLS'],
  UDPRoute: ['UDP'],
};

/** A route attaches to a listener that is there, takes its kind and has a hostname in common. */
export const routeListener: Rule = {
  code: 'AIG105',
  name: 'route-listener',
  title: 'A route attaches to a listener that takes it',
  severity: 'error',
  check: (index) =>
    index
      .ofKinds(GATEWAY_API, 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute')
      .flatMap((route) =>
        attachments(index, route).flatMap(({ parentRef, gateway }) =>
          gateway === undefined ? [] : check(route, parentRef, gateway),
        ),
      ),
};

/** The listeners that a parentRef means. */
export function listenersOf(parentRef: Field, gateway: KubeObject): Field[] {
  const section = parentRef.at('sectionName').text;
  const port = parentRef.at('port').number;
  return gateway
    .at('spec', 'listeners')
    .items.filter(
      (listener) =>
        (section === undefined || listener.at('name').text === section) &&
        (port === undefined || listener.at('port').number === port),
    );
}

function check(route: KubeObject, parentRef: Field, gateway: KubeObject): RuleFinding[] {
  const all = gateway.at('spec', 'listeners').items;
  // A Gateway may allow ListenerSets, whose listeners are elsewhere.
  if (all.length === 0) return [];
  const meant = listenersOf(parentRef, gateway);
  const place = named('Gateway', gateway.namespace, gateway.name);
  if (meant.length === 0) {
    const key = parentRef.at('sectionName').isSet ? 'sectionName' : 'port';
    return [
      finding(parentRef.at(key), `is no listener of ${place}`, {
        allowed: all.map((listener) => `${listener.at('name').text} (${listener.at('port').number})`).join(', '),
        fix: 'take one of these',
      }),
    ];
  }
  const protocols = PROTOCOLS[route.kind] ?? [];
  const suited = meant.filter((listener) => {
    const kinds = listener.at('allowedRoutes', 'kinds').items;
    if (kinds.length > 0) return kinds.some((kind) => kind.at('kind').text === route.kind);
    return (
      protocols.includes(listener.at('protocol').text ?? '') || !/^(HTTPS?|TLS|TCP|UDP)$/.test(listener.at('protocol').text ?? '')
    );
  });
  if (suited.length === 0) {
    return [
      finding(parentRef, `means no listener of ${place} that takes a ${route.kind}`, {
        allowed: protocols.map((protocol) => `a listener with protocol ${protocol}`).join(' or '),
        fix: 'attach to another listener, or allow the kind there',
      }),
    ];
  }
  const hostnames = route.at('spec', 'hostnames');
  if (hostnames.texts.length === 0) return [];
  const offered = suited.map((listener) => listener.at('hostname').text);
  if (offered.some((offer) => offer === undefined || offer === '')) return [];
  if (hostnames.texts.some((host) => offered.some((offer) => intersects(host, offer!)))) return [];
  return [
    finding(hostnames, `have nothing in common with the listeners of ${place}`, {
      allowed: offered.join(', '),
      fix: 'use a hostname that a listener has, or change the listener',
    }),
  ];
}

/** Gateway API: `*.example.com` has in common every host below, at any depth. */
function intersects(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  const wild = (pattern: string, host: string): boolean =>
    pattern.startsWith('*.') && host.replace(/^\*\./, 'x.').toLowerCase().endsWith(pattern.slice(1).toLowerCase());
  return wild(a, b) || wild(b, a);
}
